import Synchronization

/// Snapshots without a disk, for tests and simulation.
package final class MemorySnapshotStore: SnapshotStore {
    private struct Stored {
        let offset: Offset
        let bytes: [UInt8]
    }
    /// Newest first.
    private let snapshots = Mutex<[PartitionID: [Stored]]>([:])

    package init() {}

    package func save(_ bytes: [UInt8], of partition: PartitionID, at offset: Offset) {
        snapshots.withLock { snapshots in
            let others = snapshots[partition, default: []].filter { $0.offset != offset }
            let all = [Stored(offset: offset, bytes: bytes)] + others
            let kept = Set(SnapshotRetention.kept(of: all.map(\.offset)))
            snapshots[partition] = all.filter { kept.contains($0.offset) }
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
