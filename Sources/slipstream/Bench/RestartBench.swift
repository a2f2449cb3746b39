import Commands
import Foundation
import Glibc

/// How long a node that was killed takes until it serves again.
struct RestartBench: Bench {
    static let name = "restart"
    static let summary = "kill −9 and start again, with a snapshot and without"
    static let options = ["--records N  in the log; default 1000000", "--runs N     of each; default 3"]

    private let records: Int
    private let runs: Int
    private let batch = 500

    init(_ arguments: inout Arguments) throws(UsageError) {
        records = try arguments.takeNumber("--records", in: 10_000...20_000_000, default: 1_000_000)
        runs = try arguments.takeNumber("--runs", in: 1...20, default: 3)
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        try await onThread { Result { try measure(place) } }.get()
    }

    private func measure(_ place: BenchPlace) throws -> BenchReport {
        place.progress.say("filling the log with \(records) records")
        let node = try place.startNode(settings: ["--snapshot-interval-ms", "2000"])
        try fill(node)
        try waitForSnapshots(node)
        node.kill()
        var (withSnapshot, without): ([Double], [Double]) = ([], [])
        for run in 1...runs {
            place.progress.say("with a snapshot, run \(run) of \(runs)")
            withSnapshot.append(try restart(place))
        }
        for run in 1...runs {
            place.progress.say("without a snapshot, run \(run) of \(runs)")
            try FileManager.default.removeItem(atPath: node.dataDirectory + "/snapshots")
            without.append(try restart(place))
        }
        var report = BenchReport(name: RestartBench.name)
        report.setup = [("records", Double(records)), ("runs", Double(runs)), ("cars", 20)]
        report.figures = [
            Figure("ready_ms", withSnapshot, budget: .atMost(2_000)),
            Figure("ready_without_snapshot_ms", without),
            Figure(
                "replay_records_per_second", without.map { Double(records) / ($0 / 1_000) },
                budget: .atLeast(1_000_000)),
        ]
        return report
    }

    private func fill(_ node: BenchNode) throws {
        let pipe = try HTTPPipe(port: node.port)
        var race = BenchRace()
        var sent = 0
        while sent < records {
            let steps = max(1, min(batch, records - sent) / race.cars)
            let answer = try pipe.exchange(HTTPPipe.post("/api/ingest", race.mixed(steps: steps)))
            guard answer.status == 200 else { throw BenchError("\(answer.status) while filling the log") }
            sent += steps * race.cars
        }
        try node.waitForPoints(sent, over: pipe)
    }

    /// Waits until the last records are in a snapshot too: none was stored for a while.
    private func waitForSnapshots(_ node: BenchNode) throws {
        let pipe = try HTTPPipe(port: node.port)
        var saved = -1.0
        while case let now = try node.metric("snapshots_saved_total", over: pipe), now != saved {
            saved = now
            sleep(3)
        }
    }

    /// ms from the start of the process until `/readyz` says yes; then the node is killed.
    private func restart(_ place: BenchPlace) throws -> Double {
        let node = try place.startNode(settings: ["--snapshot-interval-ms", "3600000"])
        let ready = monotonicNanoseconds()
        node.kill()
        return Double(ready - node.startedAt) / 1e6
    }
}
