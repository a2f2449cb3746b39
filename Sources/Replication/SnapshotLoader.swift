/// Finds the snapshot to go on from.
package enum SnapshotLoader {
    /// Tries the snapshots at `offsets` in turn until `make` makes something of one that is intact.
    ///
    /// - Parameters:
    ///   - skipped: is told of each that cannot be used, and why. Each deserves a line in the journal.
    ///   - make: `nil` for one that is intact and not wanted.
    /// - Returns: `nil`: fold from the beginning of the log.
    package static func first<Value>(
        in offsets: some Sequence<Offset>, from store: some SnapshotStore, _ partition: PartitionID,
        expecting expectation: Snapshot.Expectation, skipped: (Offset, SnapshotError) -> Void,
        make: (Snapshot) throws(SnapshotError) -> Value?
    ) -> Value? {
        for offset in offsets {
            do throws(SnapshotError) {
                // Removed meanwhile: as if it had not been listed.
                guard let bytes = try load(from: store, partition, at: offset) else { continue }
                let snapshot = try Snapshot.decode(bytes, expecting: expectation)
                guard snapshot.offset == offset else {
                    throw .corrupt(reason: "it is of offset \(snapshot.offset), stored as \(offset)")
                }
                if let value = try make(snapshot) { return value }
            } catch { skipped(offset, error) }
        }
        return nil
    }

    private static func load(
        from store: some SnapshotStore, _ partition: PartitionID, at offset: Offset
    ) throws(SnapshotError) -> [UInt8]? {
        do throws(LogError) { return try store.load(partition, at: offset) } catch { throw .unreadable(error) }
    }
}
