import Client
import Commands
import Foundation
import Glibc
import Synchronization
import Telemetry

/// How long a program that uses the SDK hears nothing of a stream when the node that serves it goes.
///
/// Per run: the longest pause between two records of any one stream, from before the fault until the node is back and
/// has its shards again. A pause of one record's interval is what a steady stream has anyway. Each few faults have a
/// cluster and a simulated Kafka of their own, since that gets slower with what it holds.
struct FailoverBench: Bench {
    static let name = "failover"
    static let summary = "kill, freeze and drain the node that serves a client; pauses seen in an SDK handler"
    static let options = [
        "--runs N      of each; default 30", "--only WORDS  of kill,freeze,drain; default all",
        "--rate N      records/s of 20 cars, to Kafka; default 1000", "--nodes N     default 3",
        "--freeze-ms N default 4000", "--fresh N     faults before a new cluster is begun; default 6",
        "--trace       show what goes on",
    ]

    enum Fault: String, CaseIterable {
        case kill
        case freeze
        case drain

        /// ms
        var budget: Double {
            switch self {
            case .kill: 1_000
            case .freeze: 2_500
            case .drain: 50
            }
        }
    }

    private let runs: Int
    private let faults: [Fault]
    private let rate: Int
    private let nodes: Int
    private let freezeMilliseconds: Int
    private let faultsPerCluster: Int
    private let journal: BenchJournal
    static let cars = 20

    init(_ arguments: inout Arguments) throws(UsageError) {
        runs = try arguments.takeNumber("--runs", in: 1...1_000, default: 30)
        rate = try arguments.takeNumber("--rate", in: 20...50_000, default: 1_000)
        nodes = try arguments.takeNumber("--nodes", in: 2...9, default: 3)
        freezeMilliseconds = try arguments.takeNumber("--freeze-ms", in: 100...60_000, default: 4_000)
        faultsPerCluster = try arguments.takeNumber("--fresh", in: 1...1_000, default: 6)
        journal = BenchJournal(isShown: arguments.takeSwitch("--trace"))
        let words = try arguments.takeOption("--only")?.split(separator: ",").map(String.init)
        faults = Fault.allCases.filter { words?.contains($0.rawValue) ?? true }
        if let stray = words?.first(where: { Fault(rawValue: $0) == nil }) {
            throw UsageError("--only is '\(stray)'; it must be some of kill, freeze, drain, with commas")
        }
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        var results = FailoverResults()
        let all = faults.flatMap { fault in (1...runs).map { (fault, $0) } }
        for first in stride(from: 0, to: all.count, by: faultsPerCluster) {
            place.progress.say("starting \(nodes) nodes")
            let cluster = try BenchCluster(in: place, name: "cluster-\(first)", nodes: nodes, journal: journal)
            let stage = try await FailoverStage(
                cluster, rate: rate, freeze: .milliseconds(freezeMilliseconds), journal: journal)
            results.interval = stage.intervalMilliseconds
            results.steady.append(try await stage.course.steady())
            for (fault, run) in all[first..<min(first + faultsPerCluster, all.count)] {
                let pause = try await stage.course.run(fault)
                results.pauses[fault, default: []].append(pause)
                place.progress.say("\(fault.rawValue) \(run) of \(runs): \(Int(pause)) ms")
            }
            try await stage.end(into: &results)
        }
        return report(results)
    }

    private func report(_ results: FailoverResults) -> BenchReport {
        var report = BenchReport(name: FailoverBench.name)
        report.setup = [
            ("runs", Double(runs)), ("nodes", Double(nodes)), ("rate", Double(rate)),
            ("cars", Double(FailoverBench.cars)), ("interval_ms", results.interval),
            ("freeze_ms", Double(freezeMilliseconds)), ("fresh", Double(faultsPerCluster)),
        ]
        report.notes = [("machine", BenchMachine.description)]
        for fault in faults {
            let all = results.pauses[fault] ?? []
            report.figures += [
                Figure("\(fault.rawValue)_p50_ms", all.percentile(0.5), decimals: 1),
                Figure("\(fault.rawValue)_p99_ms", all.percentile(0.99), decimals: 1, budget: .atMost(fault.budget)),
                Figure("\(fault.rawValue)_max_ms", all.max() ?? 0, decimals: 1),
            ]
        }
        report.figures += [
            Figure("steady_max_ms", results.steady.max() ?? 0, decimals: 1),
            Figure("lost", Double(results.lost), budget: .atMost(0)),
            Figure("repeated", Double(results.repeated), budget: .atMost(0)),
            Figure("resyncs", Double(results.resyncs), budget: .atMost(0)),
        ]
        return report
    }
}

/// One cluster, one client, one fault after the other.
struct FailoverCourse: Sendable {
    let cluster: BenchCluster
    let watch: RaceWatch
    let served: ServedBy
    let journal: BenchJournal
    let freeze: Duration
    let streams: Int

    /// ms: the longest pause when nothing happens.
    func steady() async throws -> Double {
        watch.begin()
        try await Task.sleep(for: .seconds(3))
        return watch.longestPauses().max() ?? 0
    }

    /// - Returns: the longest pause of any stream, in ms.
    func run(_ fault: FailoverBench.Fault) async throws -> Double {
        guard let url = served.url, let number = cluster.number(of: url) else {
            throw BenchError("the client is not connected; \(journal.tail)")
        }
        watch.begin()
        journal.note("\(fault.rawValue) n\(number)")
        switch fault {
        case .kill:
            cluster.signal(number, SIGKILL)
            try await cluster.awaitEnd(number)
        case .freeze:
            cluster.signal(number, SIGSTOP)
            try await Task.sleep(for: freeze)
            cluster.signal(number, SIGCONT)
        case .drain:
            cluster.signal(number, SIGTERM)
            try await cluster.awaitEnd(number)
        }
        try await hearAll("after \(fault.rawValue) of n\(number)")
        journal.note("the longest pauses until here: \(watch.worst(4))")
        if fault != .freeze { try await cluster.restart(number) }
        try await Task.sleep(for: .milliseconds(1_500))
        try await hearAll("after n\(number) came back")
        try await cluster.awaitWhole()
        let pause = watch.longestPauses().max() ?? 0
        journal.note("the longest pauses: \(watch.worst(4))")
        return pause
    }

    private func hearAll(_ when: String) async throws {
        guard await watch.awaitAll(streams, times: 30, within: .seconds(15)) else {
            let silent = watch.failure ?? watch.silent(30)
            let testimony = await cluster.testimony(String(silent.prefix { $0 != ":" }))
            throw BenchError("not all streams go on \(when): \(silent)\n\(testimony)\n\(journal.tail)")
        }
    }
}

/// Which node serves the client's updates, as the SDK tells.
final class ServedBy: Sendable {
    private let current = Mutex<String?>(nil)

    /// The node connected to last.
    var url: String? { current.withLock { $0 } }

    init(_ client: SlipstreamClient, _ journal: BenchJournal) {
        let events = client.status
        Task { [weak self] in
            for await event in events {
                journal.note("\(event)")
                if case .connected(let url) = event.change { self?.current.withLock { $0 = url } }
            }
        }
    }
}

/// The machine that figures are of.
enum BenchMachine {
    static var description: String {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let name = model?.trimmingCharacters(in: .whitespaces) ?? "unknown processor"
        return "\(ProcessInfo.processInfo.activeProcessorCount) × \(name)"
    }
}
