import Replication
import Storage
import Telemetry
import Threads

struct PendingSnapshot: Sendable {
    let partition: PartitionID
    let offset: Offset
    let bytes: [UInt8]
}

/// Stores snapshots on a thread of its own, so that no record waits for the disk.
///
/// Of each shard only the newest waits: what a slower disk cannot take is skipped, never queued up. The leader's go to
/// the shared store as well.
final class SnapshotWriter: Sendable {
    struct Environment: Sendable {
        let own: any SnapshotStore
        let shared: (any SnapshotStore)?
        let leads: @Sendable (PartitionID) -> Bool
        let journal: Log
    }

    struct Counts: Sendable {
        var saved: UInt64 = 0
        var failed: UInt64 = 0
        var shared: UInt64 = 0
        var sharedFailed: UInt64 = 0
    }

    private struct State {
        var waiting: [PartitionID: PendingSnapshot] = [:]
        var ends = false
        var counts = Counts()
        /// The shared store has failed: it is left alone for a while.
        var failedAt: Timestamp?
    }

    private static let sharedPause: Int64 = 10_000_000

    private let environment: Environment
    private let state: Monitor<State>
    private let thread: Worker

    init(_ environment: Environment) throws(LogError) {
        let state = Monitor(State())
        self.environment = environment
        self.state = state
        thread = try Worker.start("snapshots") {
            while let next = SnapshotWriter.next(state) {
                SnapshotWriter.store(next, environment, state)
                SnapshotWriter.share(next, environment, state)
            }
        }
    }

    var counts: Counts { state.withLock { $0.counts } }

    func save(_ snapshot: PendingSnapshot) { state.update { $0.waiting[snapshot.partition] = snapshot } }

    /// Stores what waits and ends.
    func finish() {
        state.update { $0.ends = true }
        thread.join()
    }

    private static func next(_ state: Monitor<State>) -> PendingSnapshot? {
        state.when({ !$0.waiting.isEmpty || $0.ends }) { state in
            guard let first = state.waiting.keys.min() else { return nil }
            return state.waiting.removeValue(forKey: first)
        }
    }

    private static func store(_ next: PendingSnapshot, _ environment: Environment, _ state: Monitor<State>) {
        do throws(LogError) {
            try environment.own.save(next.bytes, of: next.partition, at: next.offset)
            state.withLock { $0.counts.saved += 1 }
        } catch {
            state.withLock { $0.counts.failed += 1 }
            environment.journal.error(
                "snapshot not stored",
                [.partition: "\(next.partition)", .offset: "\(next.offset)", .reason: "\(error)"])
        }
    }

    private static func share(_ next: PendingSnapshot, _ environment: Environment, _ state: Monitor<State>) {
        guard let shared = environment.shared, environment.leads(next.partition) else { return }
        if let failedAt = state.withLock({ $0.failedAt }), failedAt.age < sharedPause { return }
        do throws(LogError) {
            try shared.save(next.bytes, of: next.partition, at: next.offset)
            state.withLock { $0.counts.shared += 1 }
        } catch {
            state.withLock { state in
                state.counts.sharedFailed += 1
                state.failedAt = .monotonic
            }
            environment.journal.error(
                "snapshot not written to the snapshot topic; the node's own store has it",
                [.partition: "\(next.partition)", .offset: "\(next.offset)", .reason: "\(error)"])
        }
    }
}
