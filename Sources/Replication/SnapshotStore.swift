import Telemetry

/// Keeps some snapshots of each partition (`SnapshotRetention`), as opaque bytes with the offset they stand for.
///
/// It promises nothing about their integrity: `Snapshot` checks that on reading, and a bad one is skipped.
package protocol SnapshotStore: AnyObject, Sendable {
    /// Stores it durably and forgets those that need not be kept any longer. All or nothing.
    func save(_ bytes: [UInt8], of partition: PartitionID, at offset: Offset) throws(LogError)

    /// Offsets of the stored snapshots, the one saved last first. That order, not the offset, says which is newest:
    /// offsets begin again when a topic is made anew.
    func offsets(of partition: PartitionID) throws(LogError) -> [Offset]

    func load(_ partition: PartitionID, at offset: Offset) throws(LogError) -> [UInt8]?
}
