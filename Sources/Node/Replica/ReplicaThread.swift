import Replication
import struct Sharding.NodeID
import Storage
import Telemetry
import Threads

/// Folds the shards that the node hosts: restores them, catches up, follows the log, takes snapshots.
///
/// One thread owns all shards, so nothing here is locked. It reads what is durable and nothing else.
final class ReplicaThread: Sendable {
    struct Environment: Sendable {
        let log: any FollowableLog
        let snapshots: any SnapshotStore
        /// Snapshots for all nodes, which leaders write.
        var sharedSnapshots: (any SnapshotStore)?
        let tracks: TrackTable
        let inbox: ServiceInbox
        let journal: Log
        let snapshotPolicy: SnapshotPolicy
        let idleFlush: Duration
        /// Asks for the open point of each stream of a shard to be closed, by a record in the log.
        let requestFlush: @Sendable (PartitionID, [StreamID]) -> Void
        /// A shard's state as a live peer has it, one of those named if any are, or `nil`; may block. Itself `nil`: there
        /// are no peers.
        var peerState: (@Sendable (PartitionID, [NodeID]?) -> [UInt8]?)?
        var fault: CorruptionFault?
        var variant: FaultVariant?
        /// Is told how far the shards are, whenever that has changed.
        var report: @Sendable ([HostedReport]) -> Void = { _ in }
        /// Whether this node leads the shard: writes what is written once.
        var leads: @Sendable (PartitionID) -> Bool = { _ in true }
        /// Where dead letters and the like go; without Kafka, nowhere.
        var side: SideOutputs?
    }

    private struct Orders {
        var stops = false
        var wanted: Set<PartitionID>?
        var distrusted: [(PartitionID, Distrust)] = []
        var heldBack: Set<PartitionID>?
        var announced: Set<PartitionID> = []
        var restored: [(PartitionID, Result<RestoredShard, LogError>)] = []
        var questions: [@Sendable (borrowing Replica) -> Void] = []
    }

    /// Between looks at what is due, µs: not for every batch.
    private static let lookInterval: Int64 = 5_000
    /// A turn that takes longer is no turn of ours, µs: peers and clients leave a node that says nothing for so long.
    private static let standstill: Int64 = 1_000_000

    private let orders = Monitor(Orders())
    private let environment: Environment
    private let reader: any LogReader
    private let restorer: ShardRestorer
    private let snapshotWriter: SnapshotWriter
    private let failure = Monitor<LogError?>(nil)
    /// What `holdBack` was told last.
    private let held = Monitor<Set<PartitionID>>([])

    init(_ environment: Environment) throws(LogError) {
        self.environment = environment
        reader = try environment.log.makeReader()
        restorer = ShardRestorer(
            .init(
                log: environment.log, snapshots: environment.snapshots,
                sharedSnapshots: environment.sharedSnapshots, tracks: environment.tracks, journal: environment.journal,
                peerState: environment.peerState, variant: environment.variant))
        snapshotWriter = try SnapshotWriter(
            .init(
                own: environment.snapshots, shared: environment.sharedSnapshots, leads: environment.leads,
                journal: environment.journal))
    }

    /// Why the replica ended, if it did so by itself.
    var fault: LogError? { failure.withLock { $0 } }

    /// Snapshots that were stored, and those that could not be.
    var snapshotCounts: SnapshotWriter.Counts { snapshotWriter.counts }

    /// Hosts these shards and releases the others.
    func host(_ wanted: Set<PartitionID>) { order { $0.wanted = wanted } }

    /// Makes a shard's state anew, for it is not that of other replicas.
    func rebuild(_ partition: PartitionID, _ distrust: Distrust) {
        order { $0.distrusted.append((partition, distrust)) }
    }

    /// Has these shards, and no others, serve nobody: peers are further, and this node does not move.
    func holdBack(_ shards: Set<PartitionID>) {
        let isNews = held.update { held in
            defer { held = shards }
            return held != shards
        }
        if isNews { order { $0.heldBack = shards } }
    }

    /// Says again what a live shard has, as when it became live.
    func announce(_ partition: PartitionID) { order { $0.announced.insert(partition) } }

    /// Has `answer` called on the replica's thread with the state of all shards, between two batches.
    func ask(_ answer: @escaping @Sendable ([ShardStatus], [HostedReport]) -> Void) {
        order { $0.questions.append { answer($0.statuses, $0.reports) } }
    }

    /// Has `answer` called on the replica's thread with a shard's state; `nil` when it is not live here.
    func askState(of partition: PartitionID, _ answer: @escaping @Sendable ([UInt8]?) -> Void) {
        order { $0.questions.append { answer($0.state(of: partition)) } }
    }

    /// Ends `run` after everything in the log is applied and snapshots are stored.
    func stop() { order { $0.stops = true } }

    private func order(_ body: (inout Orders) -> Void) {
        orders.update { body(&$0) }
        reader.wake()
    }

    /// The thread's life; `restorations` is another's.
    func run() {
        do throws(LogError) {
            try fold()
        } catch {
            environment.journal.error("the log cannot be read, the replica stops", [.reason: "\(error)"])
            failure.withLock { $0 = error }
            environment.inbox.post(.failed)
        }
        restorer.stop()
        reader.close()
        snapshotWriter.finish()
    }

    func restorations() {
        restorer.run { partition, result in order { $0.restored.append((partition, result)) } }
    }

    private func fold() throws(LogError) {
        var replica = Replica(environment, restorer, reader)
        var (hasBegun, isLive) = (false, false)
        var told: [HostedReport] = []
        var looked = Timestamp.monotonic
        var turned = Timestamp.monotonic
        while true {
            let turn = Timestamp.monotonic
            if turn.microseconds - turned.microseconds > ReplicaThread.standstill { try stoodStill(&replica) }
            turned = turn
            let order = takeOrders()
            for question in order.questions { question(replica) }
            if let wanted = order.wanted {
                try replica.host(wanted).forEach(snapshotWriter.save)
                hasBegun = true
            }
            // Behind `host`: what is given up by now is not said any more.
            order.announced.forEach { replica.announce($0) }
            for (partition, distrust) in order.distrusted { try replica.rebuild(partition, distrust) }
            if let heldBack = order.heldBack { replica.holdBack(heldBack) }
            for (partition, result) in order.restored { try replica.restored(partition, try result.get()) }
            try follow(&replica)
            if hasBegun, !isLive, replica.isLive {
                isLive = true
                replica.tellCaughtUp()
                environment.inbox.post(.live)
            }
            // With peers there is no end to wait for: they go on.
            if order.stops, !restorer.hasPeers { while try replica.follow(waitingUpTo: .zero) {} }
            let now = Timestamp.monotonic
            guard order.stops || now.microseconds - looked.microseconds >= ReplicaThread.lookInterval else { continue }
            looked = now
            replica.flushIdle(now: now)
            replica.settleSideOutputs()
            replica.takeSnapshots(now: now, all: order.stops).forEach(snapshotWriter.save)
            if replica.reports != told {
                told = replica.reports
                environment.report(told)
            }
            if order.stops { return }
        }
    }

    /// Where no broker says how far the log is, there is nothing to catch up with either.
    private func stoodStill(_ replica: inout Replica) throws(LogError) {
        do throws(LogError) { try replica.stoodStill() } catch { guard error.isWorthRetrying else { throw error } }
    }

    /// Brokers go and come: what may work later is tried again.
    private func follow(_ replica: inout Replica) throws(LogError) {
        do throws(LogError) {
            _ = try replica.follow(waitingUpTo: .milliseconds(50))
        } catch {
            guard error.isWorthRetrying else { throw error }
            environment.journal.error("the log does not answer, trying again", [.reason: "\(error)"])
            orders.when({ $0.stops }, orAfter: .milliseconds(500)) { _ in }
        }
    }

    private func takeOrders() -> Orders {
        orders.withLock { orders in
            defer { orders = Orders() }
            return orders
        }
    }
}
