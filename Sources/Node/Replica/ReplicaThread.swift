import Replication
import Storage
import Telemetry
import Threads

/// Folds the node's shards: restores them, catches up, follows the log, takes snapshots.
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
        /// Asks for the open point of each stream to be closed, by a record in the log.
        let requestFlush: @Sendable ([StreamID]) -> Void
    }

    private struct Orders {
        var appended = false
        var stops = false
        var questions: [@Sendable ([ShardStatus]) -> Void] = []
        var isIdle: Bool { !appended && !stops && questions.isEmpty }
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

    /// There is something new in the log.
    func appended() { orders.update { $0.appended = true } }

    /// Has `answer` called on the replica's thread with the state of all shards, between two batches.
    func ask(_ answer: @escaping @Sendable ([ShardStatus]) -> Void) { orders.update { $0.questions.append(answer) } }

    /// Ends `run` after everything in the log is applied and snapshots are stored.
    func stop() { orders.update { $0.stops = true } }

    /// The thread's life.
    func run() {
        var replica = Replica(environment)
        do throws(LogError) {
            try replica.restore()
            try replica.catchUp()
            environment.inbox.post(.live)
            while true {
                let order = nextOrder()
                for question in order.questions { question(replica.statuses) }
                try replica.follow()
                replica.flushIdle(now: .monotonic)
                replica.takeSnapshots(now: .monotonic, all: order.stops).forEach(snapshotWriter.save)
                if order.stops { break }
            }
        } catch {
            environment.journal.error("the log cannot be read, the replica stops", [.reason: "\(error)"])
        }
        snapshotWriter.finish()
    }

    private func nextOrder() -> Orders {
        orders.when({ !$0.isIdle }, orAfter: .milliseconds(50)) { orders in
            defer { orders = Orders() }
            return orders
        }
    }
}
