import Replication
import Telemetry

/// One row: consecutive records of one partition.
struct LogRow {
    enum Codec: UInt8 { case plain = 0, zstd = 1 }

    let partition: PartitionID
    let base: Offset
    let count: Int
    /// Earliest and latest time of the records.
    let times: ClosedRange<Timestamp>
    let storedAt: Timestamp
    /// Bytes of the partition up to and with this row, since its first record ever: the difference of two is what lies
    /// between, so the size of a partition is known without adding up.
    let through: Int64
    /// Bytes of `data` before compression.
    let size: Int
    let codec: Codec
    let data: [UInt8]

    var checksum: UInt32 { LogRow.checksum(partition, base, count: count, codec: codec, size: size, data) }

    /// Covers the data and what says where it belongs.
    static func checksum(
        _ partition: PartitionID, _ base: Offset, count: Int, codec: Codec, size: Int, _ data: some Sequence<UInt8>
    ) -> UInt32 {
        var writer = BinaryWriter(reserving: 32)
        writer.write(Int64(partition.number))
        writer.write(base.value)
        writer.write(Int64(count))
        writer.write(codec.rawValue)
        writer.write(Int64(size))
        return CRC32C.checksum(data, continuing: CRC32C.checksum(writer.bytes))
    }
}

/// Partition and base offset in one number: 15 bits and 48 bits.
enum RowID {
    static let partitionCountMax = 1 << 15

    static func of(_ partition: PartitionID, _ offset: Offset) -> Int64 { first(of: partition) | offset.value }
    static func first(of partition: PartitionID) -> Int64 { Int64(partition.number) << 48 }
    static func last(of partition: PartitionID) -> Int64 { first(of: partition) | (1 << 48 - 1) }
    static func offset(_ id: Int64) -> Offset { Offset(id & (1 << 48 - 1)) }
}
