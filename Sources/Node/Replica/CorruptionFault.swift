import Replication

/// A fault on demand: one shard's state here goes wrong at an offset, once. To see that it is found and repaired.
///
/// `SLIPSTREAM_FAULT_CORRUPT_SHARD=3@25000` in the environment: shard 3, once offset 25,000 is applied.
struct CorruptionFault: Sendable, Equatable {
    static let variable = "SLIPSTREAM_FAULT_CORRUPT_SHARD"
    let partition: PartitionID
    let offset: Offset

    /// `nil` for anything but `shard@offset`.
    init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let shard = Int(parts[0]), let offset = Int64(parts[1]), shard >= 0, offset >= 0 else {
            return nil
        }
        partition = PartitionID(shard)
        self.offset = Offset(offset)
    }
}
