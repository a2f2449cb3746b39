import Replication
import Synchronization
import Telemetry

/// Kafka does not keep the first record for ever, as our own logs do. Once retention has removed it, only those know
/// the lineage who saw it or have it from a snapshot.
extension KafkaLog {
    /// `nil` when the partition has no record, or when its first is gone and nobody has said what it was.
    package func lineage(of partition: PartitionID) throws(LogError) -> UInt64? {
        try checkOpen()
        try check(partition)
        if let known = lineages.withLock({ $0[partition] }) { return known }
        guard let first = try firstRecord(of: partition, onlyIfWhole: true) else { return nil }
        let lineage = first.lineage(topic: topic, partition: partition)
        return lineages.withLock { lineages in
            lineages[partition] = lineages[partition] ?? lineage
            return lineages[partition]
        }
    }

    /// Who reads a partition from its beginning need not ask for its first record: that would take a consumer of its own
    /// some 100 ms, for which all shards of a node would wait.
    func seen(_ batch: borrowing LogBatch, of partition: PartitionID) {
        guard batch.entries.first?.offset == .zero, let first = FirstRecord(of: batch) else { return }
        adopt(lineage: first.lineage(topic: topic, partition: partition), of: partition)
    }

    /// What a snapshot said, for a partition whose first record is gone. What is known already stays.
    package func adopt(lineage: UInt64, of partition: PartitionID) {
        lineages.withLock { $0[partition] = $0[partition] ?? lineage }
    }

    /// A name for what is left when neither the log nor any snapshot knows the lineage: made from the oldest record
    /// there is, and kept from then on. Another node may see another, so its clients get a resync when they change over.
    package func lineageOfRemains(of partition: PartitionID) throws(LogError) -> UInt64? {
        if let known = try lineage(of: partition) { return known }
        guard let first = try firstRecord(of: partition, onlyIfWhole: false) else { return nil }
        adopt(lineage: first.lineage(topic: topic, partition: partition), of: partition)
        return try lineage(of: partition)
    }

    /// Looks again whether the partition is still the one it was.
    /// - Returns: false when its first record is another one than the known lineage says.
    func isUnchanged(_ partition: PartitionID) throws(LogError) -> Bool {
        guard let known = lineages.withLock({ $0[partition] }) else { return true }
        guard let first = try firstRecord(of: partition, onlyIfWhole: true) else { return true }
        return first.lineage(topic: topic, partition: partition) == known
    }

    func forgetLineage(of partition: PartitionID) {
        _ = lineages.withLock { $0.removeValue(forKey: partition) }
    }

    private func firstRecord(of partition: PartitionID, onlyIfWhole: Bool) throws(LogError) -> FirstRecord? {
        let watermarks = try watermarks(of: partition)
        guard watermarks.earliest < watermarks.end, !onlyIfWhole || watermarks.earliest == .zero else { return nil }
        var batch = LogBatch()
        try read(partition, from: watermarks.earliest, maxBytes: 1, into: &batch)
        return FirstRecord(of: batch)
    }
}
