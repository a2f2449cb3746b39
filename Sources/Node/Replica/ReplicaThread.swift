import Replication
import Storage
import Telemetry
import Threads

/// Folds the shards that the node hosts: restores them, catches up, follows the log, takes snapshots.
///
/// One thread owns all shards, so nothing here is locked. It reads what is durable and nothing else.
final class ReplicaThread: Sendable {
    struct Environment: Sendable {
        let log: any PartitionedLog
        let snapshots: any SnapshotStore
        let tracks: TrackTable
        let inbox: ServiceInbox
        let journal: Log
        let snapshotPolicy: SnapshotPolicy
        let idleFlush: Duration
        /// Asks for the open point of each stream of a shard to be closed, by a record in the log.
        let requestFlush: @Sendable (PartitionID, [StreamID]) -> Void
        /// Asks a peer for a shard's state, which comes by `fetched`. `nil`: there are no peers.
        var fetchState: (@Sendable (PartitionID) -> Void)?
        /// Is told how far the shards are, whenever that has changed.
        var report: @Sendable ([HostedReport]) -> Void = { _ in }
    }

    private struct Orders {
        var appended = false
        var stops = false
        var wanted: Set<PartitionID>?
        var fetched: [(PartitionID, [UInt8]?)] = []
        var questions: [@Sendable (borrowing Replica) -> Void] = []
        var isIdle: Bool { !appended && !stops && wanted == nil && fetched.isEmpty && questions.isEmpty }
    }

    private let orders = Monitor(Orders())
    private let environment: Environment
    private let snapshotWriter: SnapshotWriter

    init(_ environment: Environment) throws(LogError) {
        self.environment = environment
        snapshotWriter = try SnapshotWriter(store: environment.snapshots, journal: environment.journal)
    }

    /// Snapshots that were stored, and those that could not be.
    var snapshotCounts: (saved: UInt64, failed: UInt64) { snapshotWriter.counts }

    /// Hosts these shards and releases the others.
    func host(_ wanted: Set<PartitionID>) { orders.update { $0.wanted = wanted } }

    /// The state of a shard that a peer gave, or nothing.
    func fetched(_ partition: PartitionID, _ state: [UInt8]?) {
        orders.update { $0.fetched.append((partition, state)) }
    }

    /// There is something new in the log.
    func appended() { orders.update { $0.appended = true } }

    /// Has `answer` called on the replica's thread with the state of all shards, between two batches.
    func ask(_ answer: @escaping @Sendable ([ShardStatus]) -> Void) {
        orders.update { $0.questions.append { answer($0.statuses) } }
    }

    /// Has `answer` called on the replica's thread with a shard's state; `nil` when it is not live here.
    func askState(of partition: PartitionID, _ answer: @escaping @Sendable ([UInt8]?) -> Void) {
        orders.update { $0.questions.append { answer($0.state(of: partition)) } }
    }

    /// Ends `run` after everything in the log is applied and snapshots are stored.
    func stop() { orders.update { $0.stops = true } }

    /// The thread's life.
    func run() {
        var replica = Replica(environment)
        do throws(LogError) {
            var (isBusy, hasBegun, isLive) = (false, false, false)
            var told: [HostedReport] = []
            while true {
                let order = nextOrder(isBusy)
                for question in order.questions { question(replica) }
                if let wanted = order.wanted {
                    try replica.host(wanted).forEach(snapshotWriter.save)
                    hasBegun = true
                }
                for (partition, state) in order.fetched { try replica.fetched(partition, state) }
                isBusy = try replica.follow()
                // With peers there is no end to wait for: they go on.
                if order.stops, environment.fetchState == nil { while try replica.follow() {} }
                if hasBegun, !isLive, replica.isLive {
                    isLive = true
                    replica.tellCaughtUp()
                    environment.inbox.post(.live)
                }
                replica.flushIdle(now: .monotonic)
                replica.takeSnapshots(now: .monotonic, all: order.stops).forEach(snapshotWriter.save)
                if replica.reports != told {
                    told = replica.reports
                    environment.report(told)
                }
                if order.stops { break }
            }
        } catch {
            environment.journal.error("the log cannot be read, the replica stops", [.reason: "\(error)"])
        }
        snapshotWriter.finish()
    }

    /// - Parameter isBusy: do not wait for one.
    private func nextOrder(_ isBusy: Bool) -> Orders {
        orders.when({ isBusy || !$0.isIdle }, orAfter: .milliseconds(50)) { orders in
            defer { orders = Orders() }
            return orders
        }
    }
}
