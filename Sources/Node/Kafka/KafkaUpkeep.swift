import Kafka
import Replication
import Synchronization
import Telemetry
import Threads

/// Looks after Kafka while the node runs, on a thread of its own: whether it answers, whether the client is sound, what
/// lag tools and operators are told.
final class KafkaUpkeep: Sendable {
    struct Environment: Sendable {
        let log: KafkaLog
        let side: SideOutputs
        let snapshots: SharedSnapshots?
        let journal: Log
        /// Whether this node leads the shard.
        let leads: @Sendable (PartitionID) -> Bool
        /// The node must end.
        let failed: @Sendable () -> Void
    }

    fileprivate struct State {
        var positions: [PartitionID: Offset] = [:]
        var unanswered = 0
        var fault: LogError?
        var ends = false
    }

    fileprivate static let period = Duration.seconds(1)
    fileprivate static let answerLimit = Duration.seconds(1)

    fileprivate let environment: Environment
    fileprivate let state = Monitor(State())

    init(_ environment: Environment) { self.environment = environment }

    /// Why the node must end, if it must.
    var fault: LogError? { state.withLock { $0.fault } }
    /// Partitions whose broker did not answer when last asked.
    var unansweredCount: Int { state.withLock { $0.unanswered } }

    /// How far the shards here are.
    func reports(_ reports: [HostedReport]) {
        let applied = reports.filter { $0.state != .restoring }.map { ($0.partition, $0.next) }
        state.withLock { $0.positions = Dictionary(applied, uniquingKeysWith: { $1 }) }
    }

    func stop() { state.update { $0.ends = true } }

    /// The thread's life.
    func run() {
        var round = UpkeepRound(self)
        while !state.when({ $0.ends }, orAfter: KafkaUpkeep.period, { $0.ends }) {
            do throws(LogError) { try round.run() } catch {
                if case .closed = error { return }
                environment.journal.error("the Kafka client has failed", [.reason: "\(error)"])
                state.withLock { $0.fault = error }
                return environment.failed()
            }
        }
    }
}

/// What is to be done each time, and what was told already.
private struct UpkeepRound {
    private let upkeep: KafkaUpkeep
    private var count = 0
    private var unanswered = 0
    private var toldUnanswered = 0
    private var committed: [PartitionID: Offset] = [:]
    private var missing: Set<String> = []
    private var misplaced: (count: Int, at: Timestamp) = (0, .monotonic)

    init(_ upkeep: KafkaUpkeep) { self.upkeep = upkeep }

    private var environment: KafkaUpkeep.Environment { upkeep.environment }

    /// - Throws: what ends the node.
    mutating func run() throws(LogError) {
        defer { count += 1 }
        if let reason = environment.log.health.fatal { throw KafkaError.fatal(reason: reason).logError }
        if count % 30 == 0 { checkTopics() }
        if count % 2 == 0 { try look() }
        if count % 3 == 0, unanswered == 0 { try commit() }
        tellMisplaced()
    }

    private mutating func look() throws(LogError) {
        let now = try environment.log.unanswered(within: KafkaUpkeep.answerLimit).count
        upkeep.state.withLock { $0.unanswered = now }
        // One late answer is no news.
        let isSure = (now > 0) == (unanswered > 0)
        unanswered = now
        guard isSure, now != toldUnanswered else { return }
        toldUnanswered = now
        guard now > 0 else { return environment.journal.notice("Kafka answers again") }
        environment.journal.error(
            "Kafka does not answer for some partitions: what is here is served, publishing to them waits or is refused",
            [
                .count: "\(now) of \(environment.log.partitionCount)",
                .reason: environment.log.health.lastError ?? "no answer in time; are all brokers up?",
            ])
    }

    private mutating func commit() throws(LogError) {
        let positions = upkeep.state.withLock { $0.positions }
        let news = positions.filter { environment.leads($0.key) && committed[$0.key] != $0.value }
        do throws(LogError) {
            try environment.log.commit(news)
            committed.merge(news) { $1 }
        } catch {
            // Lag tools see an older position until the next time; a client beyond repair is found out above.
            environment.journal.debug("positions not committed", [.reason: "\(error)"])
        }
    }

    private mutating func checkTopics() {
        for topic in environment.side.topics {
            do throws(KafkaError) {
                try environment.log.check(topic: topic, within: KafkaUpkeep.answerLimit)
                environment.side.setMissing(topic, false)
                if missing.remove(topic) != nil { environment.journal.notice("topic found", [.path: topic]) }
            } catch {
                guard case .noTopic = error else { continue }
                environment.side.setMissing(topic, true)
                guard missing.insert(topic).inserted else { continue }
                environment.journal.error(
                    "a topic is missing: what belongs there is not written", [.path: topic, .reason: "\(error)"])
            }
        }
        openSnapshots()
    }

    private mutating func openSnapshots() {
        guard let snapshots = environment.snapshots, !snapshots.isOpen else { return }
        do throws(KafkaError) {
            try snapshots.open()
            environment.journal.notice("topic found", [.path: snapshots.topic])
        } catch {
            guard missing.insert(snapshots.topic).inserted else { return }
            environment.journal.error(
                "no snapshot topic: shards are restored from peers, each node's own snapshots and the log",
                [.path: snapshots.topic, .reason: "\(error.asCompacted)"])
        }
    }

    private mutating func tellMisplaced() {
        let metrics = environment.log.metrics
        let isDue = misplaced.count == 0 || misplaced.at.age > 60_000_000
        guard metrics.misplacedKeys > misplaced.count, isDue else { return }
        misplaced = (metrics.misplacedKeys, .monotonic)
        environment.journal.error(
            "keys lie in other partitions than murmur2 says: give their producer partitioner=murmur2_random; served as is",
            [.count: "\(metrics.misplacedKeys)", .reason: "first: \(metrics.misplacedKey ?? "unknown")"])
    }
}

extension KafkaUpkeep {
    func add(to page: inout MetricsPage) {
        let metrics = environment.log.metrics
        page.add(
            "kafka_partitions_unanswered", .gauge, "Partitions whose broker did not answer when last asked.",
            UInt64(unansweredCount))
        page.add(
            "kafka_misplaced_keys_total", .counter, "Keys in another partition than murmur2 says.",
            UInt64(metrics.misplacedKeys))
        page.add(
            "kafka_consumers_recreated_total", .counter, "Consumers that had stopped fetching.",
            UInt64(metrics.consumersRecreated))
        page.add(
            "side_records_written_total", .counter, "Dead letters and insights handed to Kafka.",
            UInt64(metrics.sideRecords))
        page.add(
            "side_records_lost_total", .counter, "Dead letters and insights that Kafka did not take.",
            UInt64(metrics.sideRecordsLost + environment.side.skippedCount))
    }
}

extension KafkaError {
    /// How the topic would have to be made.
    fileprivate var asCompacted: String {
        guard case .noTopic = self else { return "\(self)" }
        return "\(self)".replacing(", or correct its name", with: " --config cleanup.policy=compact, or say none")
    }
}
