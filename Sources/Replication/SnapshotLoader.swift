/// Finds the snapshot to go on from.
package enum SnapshotLoader {
    package struct Skipped: Equatable, Sendable {
        package let offset: Offset
        package let reason: SnapshotError

        package init(offset: Offset, reason: SnapshotError) {
            self.offset = offset
            self.reason = reason
        }
    }

    package struct Found: Sendable {
        /// `nil`: fold from the beginning of the log.
        package let snapshot: Snapshot?
        /// Those that are newer and of no use, newest first. Each deserves a line in the journal.
        package let skipped: [Skipped]
    }

    /// - Throws: when the store cannot even list what it has.
    package static func newestIntact(
        from store: some SnapshotStore, _ partition: PartitionID, expecting expectation: Snapshot.Expectation
    ) throws(LogError) -> Found {
        var skipped: [Skipped] = []
        for offset in try store.offsets(of: partition) {
            do throws(SnapshotError) {
                // Removed meanwhile: as if it had not been listed.
                guard let bytes = try load(from: store, partition, at: offset) else { continue }
                let snapshot = try Snapshot.decode(bytes, expecting: expectation)
                guard snapshot.offset == offset else {
                    throw .corrupt(reason: "it is of offset \(snapshot.offset), stored as \(offset)")
                }
                return Found(snapshot: snapshot, skipped: skipped)
            } catch {
                skipped.append(Skipped(offset: offset, reason: error))
            }
        }
        return Found(snapshot: nil, skipped: skipped)
    }

    private static func load(
        from store: some SnapshotStore, _ partition: PartitionID, at offset: Offset
    ) throws(SnapshotError) -> [UInt8]? {
        do throws(LogError) { return try store.load(partition, at: offset) } catch { throw .unreadable(error) }
    }
}
