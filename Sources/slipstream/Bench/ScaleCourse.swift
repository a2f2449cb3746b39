import Client
import Foundation
import Glibc
import Sharding

/// One cluster that grows to all its nodes and shrinks to the last, while clients listen.
struct ScaleCourse: Sendable {
    struct Step: Sendable {
        let name: String
        /// ms: the longest that any client heard nothing of any stream, without the interval between its records.
        let pause: Double
        /// Replicas that nodes began, and those of them that the assignment does not ask for.
        let moved: Int
        let needless: Int
        let hadToMove: Int
    }

    struct Outcome: Sendable {
        let intervalMilliseconds: Double
        /// ms, before the first step.
        var steady = 0.0
        var steps: [Step] = []
        var lost = 0
        var repeated = 0
        var resyncs = 0
    }

    let cluster: BenchCluster
    let journal: BenchJournal
    let rate: Int
    private let seen = ShardMovesSeen()
    /// What comes late of a step still counts for it.
    private static let aftermath = Duration.milliseconds(1_500)

    init(cluster: BenchCluster, journal: BenchJournal, rate: Int) {
        self.cluster = cluster
        self.journal = journal
        self.rate = rate
    }

    func run(_ tell: (String) -> Void) async throws -> Outcome {
        journal.tell { [seen] in seen.take($0) }
        tell("starting a node")
        try await cluster.start(1...1)
        let race = try SteadyRace(kafka: cluster.kafka, cars: ScaleBench.cars, rate: rate)
        race.start()
        var outcome = Outcome(intervalMilliseconds: Double(race.interval) / 1_000_000)
        var listeners = [try await listener(at: 1)]
        // The first records to a partition take a second now and then, which is no steady state.
        try await Task.sleep(for: ScaleCourse.aftermath)
        for listener in listeners { listener.watch.begin() }
        try await Task.sleep(for: .seconds(2))
        outcome.steady = longestPause(of: listeners)
        for listener in listeners { journal.note("steady: longest nothing of \(listener.watch.worst(3))") }
        for count in 2...cluster.nodeCount {
            tell("node \(count) joins")
            let step = try await step("grow_\(count)", from: 1...count - 1, to: 1...count, &listeners, outcome) {
                try await cluster.restart(count)
                $0.append(try await listener(at: count))
            }
            outcome.steps.append(step)
        }
        for gone in 1..<cluster.nodeCount {
            let (before, after) = (gone...cluster.nodeCount, gone + 1...cluster.nodeCount)
            tell("node \(gone) is drained")
            let step = try await step("shrink_\(after.count)", from: before, to: after, &listeners, outcome) { _ in
                cluster.signal(gone, SIGTERM)
                try await cluster.awaitEnd(gone, within: .seconds(45))
            }
            outcome.steps.append(step)
        }
        try race.stop()
        for listener in listeners { await listener.end(through: race.steps, into: &outcome) }
        return outcome
    }

    private func step(
        _ name: String, from before: ClosedRange<Int>, to after: ClosedRange<Int>, _ listeners: inout [ScaleListener],
        _ outcome: Outcome, _ change: (inout [ScaleListener]) async throws -> Void
    ) async throws -> Step {
        try await cluster.awaitSettled(before)
        guard let holders = await cluster.map(asKnownBy: after.lowerBound)?.holders else {
            throw BenchError("n\(after.lowerBound) does not tell who holds what; \(journal.tail)")
        }
        let members = after.compactMap { NodeID("n\($0)") }.map { Assignment.Member($0) }
        let plan = ShardMoves(of: holders, to: members, replicas: ScaleBench.replicas)
        seen.begin(holders)
        for listener in listeners { listener.watch.begin() }
        journal.note("\(name) begins")
        try await change(&listeners)
        try await cluster.awaitSettled(after)
        try await Task.sleep(for: ScaleCourse.aftermath)
        for listener in listeners { try await listener.hearsAll(when: name, journal) }
        for (number, listener) in listeners.enumerated() {
            journal.note("\(name): client \(number + 1) heard nothing longest of \(listener.watch.worst(3))")
        }
        let pause = max(0, longestPause(of: listeners) - outcome.intervalMilliseconds)
        let moves = seen.moves
        return Step(
            name: name, pause: pause, moved: moves.count, needless: moves.count { !plan.moves.contains($0) },
            hadToMove: plan.moves.count)
    }

    private func longestPause(of listeners: [ScaleListener]) -> Double {
        listeners.flatMap { $0.watch.longestPauses() }.max() ?? 0
    }

    /// A client that connects to this node first.
    private func listener(at number: Int) async throws -> ScaleListener {
        let urls = cluster.urls
        let listener = try ScaleListener(Array(urls[(number - 1)...] + urls[..<(number - 1)]), number, journal)
        try await listener.hearsAll(when: "at its start", journal)
        return listener
    }
}

/// A client that hears all streams.
struct ScaleListener: Sendable {
    let watch = RaceWatch()
    private let client: SlipstreamClient
    private let listening: Task<Void, Never>
    private let telling: Task<Void, Never>

    init(_ urls: [String], _ number: Int, _ journal: BenchJournal) throws {
        let client = try SlipstreamClient(urls: urls)
        self.client = client
        let (watch, events) = (watch, client.status)
        telling = Task { for await event in events { journal.note("client \(number): \(event)") } }
        listening = Task { await watch.listen(client) }
    }

    func hearsAll(when time: String, _ journal: BenchJournal) async throws {
        guard await watch.awaitAll(ScaleBench.cars, times: 10, within: .seconds(20)) else {
            let silent = watch.failure ?? watch.silent(10)
            throw BenchError("a client does not hear all streams, \(time): \(silent)\n\(journal.tail)")
        }
    }

    /// Counts what came and what did not of records up to `number` of each car, and leaves.
    func end(through number: Int, into outcome: inout ScaleCourse.Outcome) async {
        _ = await watch.awaitAll(through: number, within: .seconds(10))
        let counts = watch.counts
        outcome.lost += counts.lost + watch.missing(through: number)
        outcome.repeated += counts.repeated
        outcome.resyncs += counts.resyncs
        listening.cancel()
        telling.cancel()
        await client.close()
    }
}
