import Client
import Commands
import Foundation
import Glibc
import Synchronization
import Telemetry

/// How long a program that uses the SDK hears nothing of a stream when the node that serves it goes.
///
/// Per run: the longest pause between two records of any one stream, from before the fault until the node is back and
/// has its shards again. A pause of one record's interval is what a steady stream has anyway.
struct FailoverBench: Bench {
    static let name = "failover"
    static let summary = "kill, freeze and drain the node that serves a client; pauses seen in an SDK handler"
    static let options = [
        "--runs N      of each; default 30", "--only WORDS  of kill,freeze,drain; default all",
        "--rate N      records/s of 20 cars, to Kafka; default 1000", "--nodes N     default 3",
        "--freeze-ms N default 4000", "--trace       show what goes on",
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
    private let journal: BenchJournal
    private static let cars = 20

    init(_ arguments: inout Arguments) throws(UsageError) {
        runs = try arguments.takeNumber("--runs", in: 1...1_000, default: 30)
        rate = try arguments.takeNumber("--rate", in: 20...50_000, default: 1_000)
        nodes = try arguments.takeNumber("--nodes", in: 2...9, default: 3)
        freezeMilliseconds = try arguments.takeNumber("--freeze-ms", in: 100...60_000, default: 4_000)
        journal = BenchJournal(isShown: arguments.takeSwitch("--trace"))
        let words = try arguments.takeOption("--only")?.split(separator: ",").map(String.init)
        faults = Fault.allCases.filter { words?.contains($0.rawValue) ?? true }
        if let stray = words?.first(where: { Fault(rawValue: $0) == nil }) {
            throw UsageError("--only is '\(stray)'; it must be some of kill, freeze, drain, with commas")
        }
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        place.progress.say("starting \(nodes) nodes")
        let cluster = try BenchCluster(in: place, nodes: nodes, arguments: [], journal: journal)
        try await cluster.start()
        let race = try SteadyRace(kafka: cluster.kafka, cars: FailoverBench.cars, rate: rate)
        let client = try SlipstreamClient(urls: cluster.urls)
        let course = FailoverCourse(
            cluster: cluster, watch: RaceWatch(), served: ServedBy(client, journal), journal: journal,
            freeze: .milliseconds(freezeMilliseconds), streams: FailoverBench.cars)
        let listening = Task { await course.watch.listen(client) }
        race.start()
        guard await course.watch.awaitAll(FailoverBench.cars, times: 100, within: .seconds(20)) else {
            throw BenchError("the client does not hear all streams: \(course.watch.failure ?? journal.tail)")
        }
        let steady = try await course.steady()
        var pauses: [Fault: [Double]] = [:]
        for fault in faults {
            for run in 1...runs {
                let pause = try await course.run(fault)
                pauses[fault, default: []].append(pause)
                place.progress.say("\(fault.rawValue) \(run) of \(runs): \(Int(pause)) ms")
            }
        }
        try race.stop()
        let hasAll = await course.watch.awaitAll(through: race.steps, within: .seconds(10))
        journal.note(hasAll ? "all records were heard" : "records are missing")
        let missing = course.watch.missing(through: race.steps)
        listening.cancel()
        await client.close()
        return report(pauses, steady, interval: Double(race.interval) / 1_000_000, course.watch.counts, missing)
    }

    private func report(
        _ pauses: [Fault: [Double]], _ steady: Double, interval: Double,
        _ counts: (lost: Int, repeated: Int, resyncs: Int), _ missing: Int
    ) -> BenchReport {
        var report = BenchReport(name: FailoverBench.name)
        report.setup = [
            ("runs", Double(runs)), ("nodes", Double(nodes)), ("rate", Double(rate)),
            ("cars", Double(FailoverBench.cars)), ("interval_ms", interval),
            ("freeze_ms", Double(freezeMilliseconds)),
        ]
        report.notes = [("machine", BenchMachine.description)]
        for fault in faults {
            let all = pauses[fault] ?? []
            report.figures += [
                Figure("\(fault.rawValue)_p50_ms", all.percentile(0.5), decimals: 1),
                Figure("\(fault.rawValue)_p99_ms", all.percentile(0.99), decimals: 1, budget: .atMost(fault.budget)),
            ]
        }
        report.figures += [
            Figure("steady_max_ms", steady, decimals: 1),
            Figure("lost", Double(counts.lost + missing), budget: .atMost(0)),
            Figure("repeated", Double(counts.repeated), budget: .atMost(0)),
            Figure("resyncs", Double(counts.resyncs), budget: .atMost(0)),
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
