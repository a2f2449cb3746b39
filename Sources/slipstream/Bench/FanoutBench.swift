import Commands
import Foundation
import Glibc
import Web

/// How many records a node hands out: many clients that subscribe to every car.
///
/// Publishing waits until all clients have all but the last few batches, so the figure is what the node sustains. The
/// clients run in this process; they check that nothing is missing or twice, and count.
struct FanoutBench: Bench {
    static let name = "fanout"
    static let summary = "every car to every subscriber over WebSocket"
    static let options = [
        "--subscribers N  default 500", "--batch N        records of a car in a body; default 40",
        "--duration S     of a run; default 5", "--runs N         default 5",
        "--insights       subscribe to insights and alerts too",
        "--idle N         connections whose memory is measured; default 2000",
    ]

    private let subscribers: Int
    private let batch: Int
    private let seconds: Int
    private let runs: Int
    private let idle: Int
    private let hasInsights: Bool

    init(_ arguments: inout Arguments) throws(UsageError) {
        subscribers = try arguments.takeNumber("--subscribers", in: 1...9_000, default: 500)
        batch = try arguments.takeNumber("--batch", in: 1...1_000, default: 40)
        seconds = try arguments.takeNumber("--duration", in: 1...600, default: 5)
        runs = try arguments.takeNumber("--runs", in: 1...100, default: 5)
        idle = try arguments.takeNumber("--idle", in: 100...9_000, default: 2_000)
        hasInsights = arguments.takeSwitch("--insights")
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        try await onThread { Result { try measure(place) } }.get()
    }

    private func measure(_ place: BenchPlace) throws -> BenchReport {
        let node = try place.startNode()
        let idleBytes = try IdleConnections(node, count: idle).measure(place.progress)
        let audience = try FanoutAudience(port: node.port, count: subscribers, hasInsights: hasInsights)
        defer { audience.close() }
        let pipe = try HTTPPipe(port: node.port)
        var race = BenchRace()
        var results: [FanoutRun] = []
        for run in 0...runs {
            place.progress.say(run == 0 ? "warming up" : "run \(run) of \(runs)")
            let result = try FanoutRun(&race, batch: batch, seconds: run == 0 ? 1 : seconds, audience, node, pipe)
            if run > 0 { results.append(result) }
        }
        let faults = audience.faults
        guard faults.isEmpty else { throw BenchError("the clients saw what must not be: \(faults)") }
        return report(results, idleBytes)
    }

    private func report(_ results: [FanoutRun], _ idleBytes: [Double]) -> BenchReport {
        var report = BenchReport(name: FanoutBench.name)
        report.setup = [
            ("subscribers", Double(subscribers)), ("batch", Double(batch)), ("cars", 20), ("runs", Double(runs)),
            ("duration_s", Double(seconds)), ("idle_connections", Double(idle)),
        ]
        report.notes = [("include", hasInsights ? "telemetry, insights, alerts" : "telemetry")]
        report.figures = [
            Figure("deliveries_per_second", results.map(\.perSecond), budget: .atLeast(1_000_000)),
            Figure("deliveries_per_node_cpu_second", results.map(\.perCPUSecond)),
            Figure("frames_per_second", results.map(\.framesPerSecond)),
            Figure("megabytes_per_second", results.map(\.megabytesPerSecond)),
            Figure("node_cpu_cores", results.map(\.nodeCores), decimals: 2),
            Figure("clients_cpu_cores", results.map(\.clientCores), decimals: 2),
            Figure("bytes_per_idle_connection", idleBytes, budget: .atMost(12_288)),
        ]
        return report
    }
}

/// One run: as much as goes through in some seconds.
private struct FanoutRun {
    let perSecond: Double
    let perCPUSecond: Double
    let framesPerSecond: Double
    let megabytesPerSecond: Double
    let nodeCores: Double
    let clientCores: Double

    /// Batches that may be on the way.
    private static let window = 4

    init(
        _ race: inout BenchRace, batch: Int, seconds: Int, _ audience: FanoutAudience, _ node: BenchNode,
        _ pipe: HTTPPipe
    ) throws {
        let perBody = batch * race.cars
        let before = (audience.counts, node.cpuSeconds, processNanoseconds())
        let start = monotonicNanoseconds()
        let end = start + Int64(seconds) * 1_000_000_000
        var published = 0
        while monotonicNanoseconds() < end {
            let answer = try pipe.exchange(HTTPPipe.post("/api/ingest", race.mixed(steps: batch)))
            guard answer.status == 200 else { throw BenchError("\(answer.status) while publishing") }
            published += perBody
            let due = (published - FanoutRun.window * perBody) * audience.count
            try audience.wait(for: before.0.records + due)
        }
        try audience.wait(for: before.0.records + published * audience.count)
        let elapsed = Double(monotonicNanoseconds() - start) / 1e9
        let cpu = node.cpuSeconds - before.1
        let after = audience.counts
        let records = Double(after.records - before.0.records)
        perSecond = records / elapsed
        perCPUSecond = records / max(cpu, 0.001)
        framesPerSecond = Double(after.frames - before.0.frames) / elapsed
        megabytesPerSecond = Double(after.bytes - before.0.bytes) / elapsed / 1e6
        nodeCores = cpu / elapsed
        clientCores = Double(processNanoseconds() - before.2) / 1e9 / elapsed
    }
}
