import Synchronization

/// Snapshots without a disk, for tests and simulation.
package final class MemorySnapshotStore: SnapshotStore {
    private struct Stored {
        let offset: Offset
        let bytes: [UInt8]
    }
    private let kept: Int
    /// Newest first.
    private let snapshots = Mutex<[PartitionID: [Stored]]>([:])

    package init(kept: Int = 3) {
        precondition(kept > 0, "a store that keeps nothing stores nothing")
        self.kept = kept
    }

    package func save(_ bytes: [UInt8], of partition: PartitionID, at offset: Offset) {
        snapshots.withLock { snapshots in
            let others = snapshots[partition, default: []].filter { $0.offset != offset }
            snapshots[partition] = [Stored(offset: offset, bytes: bytes)] + others.prefix(kept - 1)
        }
    }

    package func offsets(of partition: PartitionID) -> [Offset] {
        snapshots.withLock { $0[partition, default: []].map(\.offset) }
    }

    package func load(_ partition: PartitionID, at offset: Offset) -> [UInt8]? {
        snapshots.withLock { $0[partition, default: []].first { $0.offset == offset }?.bytes }
    }

    /// For tests: puts bytes in the place of a snapshot, as a broken disk would.
    package func overwrite(_ partition: PartitionID, at offset: Offset, with bytes: [UInt8]) {
        snapshots.withLock { snapshots in
            guard let index = snapshots[partition]?.firstIndex(where: { $0.offset == offset }) else { return }
            snapshots[partition]?[index] = Stored(offset: offset, bytes: bytes)
        }
    }
}
