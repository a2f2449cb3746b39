import Commands
import Foundation
import Replication
import Storage
import Synchronization
import Telemetry

/// What the HTTP gateway takes: batches over kept-alive connections, each answered when the log has it on disk.
struct IngestBench: Bench {
    static let name = "ingest"
    static let summary = "POST /api/ingest, acknowledged durable"
    static let options = [
        "--runs N         default 5", "--batch N        records in a body; default 500",
        "--connections N  each with cars of its own; default 4", "--records N      in one run; default 300000",
    ]

    private let runs: Int
    private let batch: Int
    private let connections: Int
    private let records: Int
    private let carsEach = 5

    init(_ arguments: inout Arguments) throws(UsageError) {
        runs = try arguments.takeNumber("--runs", in: 1...100, default: 5)
        batch = try arguments.takeNumber("--batch", in: 5...10_000, default: 500)
        connections = try arguments.takeNumber("--connections", in: 1...64, default: 4)
        records = try arguments.takeNumber("--records", in: 10_000...5_000_000, default: 300_000)
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        try await onThread { Result { try measure(place) } }.get()
    }

    private func measure(_ place: BenchPlace) throws -> BenchReport {
        let node = try place.startNode()
        let pipes = try (0..<connections).map { _ in try HTTPPipe(port: node.port) }
        var race = BenchRace(cars: carsEach * connections)
        var results: [IngestRun] = []
        var raw: [Double] = []
        var sent = 0
        let log = try RawLog(directory: place.directory + "/raw")
        defer { log.close() }
        for run in 0...runs {
            place.progress.say(run == 0 ? "warming up" : "run \(run) of \(runs)")
            let bodies = bodies(&race, share: run == 0 ? 4 : 1)
            sent += bodies.reduce(0) { $0 + $1.count } * batch
            let result = try IngestRun(bodies, batch: batch, node, pipes)
            try node.waitForPoints(sent, over: pipes[0])
            let rate = try log.rate(of: bodies, batch: batch)
            if run > 0 {
                results.append(result)
                raw.append(rate)
            }
        }
        return report(results, raw)
    }

    /// Per connection the bodies of one run.
    private func bodies(_ race: inout BenchRace, share: Int) -> [[[UInt8]]] {
        let count = max(1, records / batch / connections / share)
        var bodies = [[[UInt8]]](repeating: [], count: connections)
        for _ in 0..<count {
            var open = [[UInt8]](repeating: [], count: connections)
            for _ in 0..<max(1, batch / carsEach) {
                for (car, record) in race.records().enumerated() {
                    let connection = car / carsEach
                    open[connection].append(open[connection].isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
                    open[connection].append(contentsOf: record)
                }
            }
            for connection in 0..<connections { bodies[connection].append(open[connection] + [UInt8(ascii: "]")]) }
        }
        return bodies
    }

    private func report(_ results: [IngestRun], _ raw: [Double]) -> BenchReport {
        var report = BenchReport(name: IngestBench.name)
        report.setup = [
            ("batch", Double(batch)), ("connections", Double(connections)), ("cars", Double(carsEach * connections)),
            ("records", Double(results.first?.records ?? 0)), ("runs", Double(runs)),
        ]
        report.notes = [("sync", "SQLite WAL, synchronous=FULL: fdatasync before every answer")]
        report.figures = [
            Figure("records_per_second", results.map(\.perSecond), budget: .atLeast(150_000)),
            Figure("request_p50_ms", results.map { $0.milliseconds.percentile(0.5) }, decimals: 2),
            Figure("request_p99_ms", results.map { $0.milliseconds.percentile(0.99) }, decimals: 2),
            Figure("commits", results.map(\.commits)),
            Figure("records_per_commit", results.map { Double($0.records) / max(1, $0.commits) }),
            Figure("node_cpu_microseconds_per_record", results.map(\.cpuMicroseconds), decimals: 2),
            Figure("log_append_records_per_second", raw),
            Figure("ratio_to_log_append", zip(results, raw).map { $0.perSecond / $1 }, decimals: 3),
        ]
        return report
    }
}

/// One run: every connection sends its bodies one after the other.
private struct IngestRun {
    let records: Int
    let perSecond: Double
    let milliseconds: [Double]
    let commits: Double
    let cpuMicroseconds: Double

    init(_ bodies: [[[UInt8]]], batch: Int, _ node: BenchNode, _ pipes: [HTTPPipe]) throws {
        let requests = bodies.map { $0.map { HTTPPipe.post("/api/ingest", $0) } }
        let before = (try node.metric("log_commits_total", over: pipes[0]), node.cpuSeconds)
        let start = monotonicNanoseconds()
        milliseconds = try onEach(zip(pipes, requests).map { ($0, $1) }) { pipe, requests in
            try requests.map { request in
                let sent = monotonicNanoseconds()
                let answer = try pipe.exchange(request)
                guard answer.status == 200 else {
                    throw BenchError("\(answer.status): \(String(decoding: answer.body, as: UTF8.self))")
                }
                return Double(monotonicNanoseconds() - sent) / 1e6
            }
        }.flatMap { $0 }
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        records = milliseconds.count * batch
        perSecond = Double(records) / seconds
        commits = try node.metric("log_commits_total", over: pipes[0]) - before.0
        cpuMicroseconds = (node.cpuSeconds - before.1) * 1e6 / Double(records)
    }
}

/// What the log alone takes, in this process: the same bodies, an append each, as many at a time as there are connections.
private struct RawLog {
    private let log: SQLiteLog

    init(directory: String) throws {
        log = try SQLiteLog(directory: directory, topic: "bench")
    }

    func close() { log.close() }

    func rate(of bodies: [[[UInt8]]], batch: Int) throws -> Double {
        let start = monotonicNanoseconds()
        let counts = try onEach(bodies.enumerated().map { ($0.offset, $0.element) }) { number, bodies in
            for body in bodies {
                let partition = PartitionID(number % log.partitionCount)
                _ = try log.append([
                    NewRecord(partition: partition, key: nil, value: body, timestamp: Timestamp(microseconds: 0))
                ])
            }
            return bodies.count
        }
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        return Double(counts.reduce(0, +) * batch) / seconds
    }
}
