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
/// Of each shard only the newest waits: what a slower disk cannot take is skipped, never queued up.
final class SnapshotWriter: Sendable {
    private struct State {
        var waiting: [PartitionID: PendingSnapshot] = [:]
        var ends = false
        var saved: UInt64 = 0
        var failed: UInt64 = 0
    }

    private let state = Monitor(State())
    private let thread: Worker

    init(store: any SnapshotStore, journal: Log) throws(LogError) {
        let state = state
        thread = try Worker.start("snapshots") {
            while let next = SnapshotWriter.next(state) {
                do throws(LogError) {
                    try store.save(next.bytes, of: next.partition, at: next.offset)
                    state.withLock { $0.saved += 1 }
                } catch {
                    state.withLock { $0.failed += 1 }
                    journal.error(
                        "snapshot not stored",
                        [.partition: "\(next.partition)", .offset: "\(next.offset)", .reason: "\(error)"])
                }
            }
        }
    }

    var counts: (saved: UInt64, failed: UInt64) { state.withLock { ($0.saved, $0.failed) } }

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
}
