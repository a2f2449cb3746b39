import Commands
import Foundation

/// How long a program that uses the SDK hears nothing of a stream while a cluster grows and shrinks under load, and
/// whether more moves than has to.
///
/// Per run: one node, others join one by one, then the oldest is drained, and the next, until the last that came is alone.
/// With each node comes a client that connects to it first and hears all streams to the end.
struct ScaleBench: Bench {
    static let name = "scale"
    static let summary = "1 → 4 → 1 nodes under load: pauses in SDK handlers, and which shards moved"
    static let options = [
        "--runs N      default 3; each takes 20 s",
        "--rate N      records/s of 20 cars, to Kafka; default 1000",
        "--nodes N     at the most; default 4", "--trace       show what goes on",
    ]
    static let cars = 20
    static let replicas = 2
    /// ms
    private static let pauseBudget = 250.0

    private let runs: Int
    private let rate: Int
    private let nodes: Int
    private let journal: BenchJournal

    init(_ arguments: inout Arguments) throws(UsageError) {
        runs = try arguments.takeNumber("--runs", in: 1...100, default: 3)
        rate = try arguments.takeNumber("--rate", in: 20...50_000, default: 1_000)
        nodes = try arguments.takeNumber("--nodes", in: 2...9, default: 4)
        journal = BenchJournal(isShown: arguments.takeSwitch("--trace"))
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        var courses: [ScaleCourse.Outcome] = []
        for run in 1...runs {
            let cluster = try BenchCluster(
                in: place, name: "cluster-\(run)", nodes: nodes,
                arguments: ["--replicas", "\(ScaleBench.replicas)"], journal: journal)
            let course = ScaleCourse(cluster: cluster, journal: journal, rate: rate)
            courses.append(try await course.run { place.progress.say("run \(run) of \(runs): \($0)") })
            try cluster.close()
        }
        return report(courses)
    }

    private func report(_ courses: [ScaleCourse.Outcome]) -> BenchReport {
        var report = BenchReport(name: ScaleBench.name)
        report.setup = [
            ("runs", Double(runs)), ("nodes", Double(nodes)), ("rate", Double(rate)),
            ("cars", Double(ScaleBench.cars)), ("interval_ms", courses.first?.intervalMilliseconds ?? 0),
        ]
        report.notes = [("machine", BenchMachine.description)]
        let steps = courses.flatMap(\.steps)
        for name in courses.first?.steps.map(\.name) ?? [] {
            let runs = steps.filter { $0.name == name }
            report.figures += [
                Figure("\(name)_pause_ms", runs.map(\.pause), decimals: 1),
                Figure("\(name)_moved", runs.map { Double($0.moved) }),
                Figure("\(name)_had_to_move", runs.map { Double($0.hadToMove) }),
            ]
        }
        func sum(_ count: (ScaleCourse.Outcome) -> Int) -> Double { Double(courses.reduce(0) { $0 + count($1) }) }
        report.figures += [
            Figure("steady_max_ms", courses.map(\.steady).max() ?? 0, decimals: 1),
            Figure("pause_max_ms", steps.map(\.pause).max() ?? 0, decimals: 1, budget: .atMost(ScaleBench.pauseBudget)),
            Figure("shards_moved", sum { $0.steps.reduce(0) { $0 + $1.moved } }),
            Figure("shards_had_to_move", sum { $0.steps.reduce(0) { $0 + $1.hadToMove } }),
            Figure("shards_moved_needlessly", sum { $0.steps.reduce(0) { $0 + $1.needless } }, budget: .atMost(0)),
            Figure("lost", sum(\.lost), budget: .atMost(0)),
            Figure("repeated", sum(\.repeated), budget: .atMost(0)),
            Figure("resyncs", sum(\.resyncs), budget: .atMost(0)),
        ]
        return report
    }
}
