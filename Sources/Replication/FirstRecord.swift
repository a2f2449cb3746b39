import Telemetry

/// What identifies a partition for ever: the first record it ever held. A log keeps this even when the record is gone.
package struct FirstRecord: Sendable, Equatable {
    package let offset: Offset
    package let timestamp: Timestamp
    /// `StableHash` of the key; that of no bytes when the record has no key.
    package let keyHash: UInt64

    package init(offset: Offset, timestamp: Timestamp, keyHash: UInt64) {
        self.offset = offset
        self.timestamp = timestamp
        self.keyHash = keyHash
    }

    package init(offset: Offset, timestamp: Timestamp, key: [UInt8]?) {
        self.init(offset: offset, timestamp: timestamp, keyHash: StableHash.hash(key ?? []))
    }

    /// The first of a batch that was read from where the partition begins; `nil` when it is empty.
    package init?(of batch: borrowing LogBatch) {
        guard let entry = batch.entries.first else { return nil }
        self.init(offset: entry.offset, timestamp: entry.timestamp, key: entry.key.map { Array(batch.bytes[$0]) })
    }

    /// Another value means another history: the topic was made anew, and positions in the old one say nothing.
    package func lineage(topic: String, partition: PartitionID) -> UInt64 {
        var writer = BinaryWriter()
        writer.write(topic)
        writer.write(UInt32(truncatingIfNeeded: partition.number))
        writer.write(offset.value)
        writer.write(timestamp)
        writer.write(keyHash)
        return StableHash.hash(writer.bytes)
    }
}
