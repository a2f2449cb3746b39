import Compression
import Replication
import Telemetry

/// The rows of one commit while they are put together.
struct Commit {
    /// Smaller ones are not worth the time.
    private static let compressedBytesMin = 512

    private var partitions: [Positions.Partition]
    private var open: [LogBatch]
    private let rowBytes: Int
    private let storedAt: Timestamp
    private let compressor: Zstd.Compressor?
    private var rows: [LogRow] = []
    /// The records of each row.
    private(set) var chunks: [LogBatch] = []
    /// Of partitions that never had a record before.
    private(set) var firsts: [(PartitionID, FirstRecord)] = []

    init(
        after partitions: [Positions.Partition], rowBytes: Int, storedAt: Timestamp, compressor: Zstd.Compressor?
    ) {
        self.partitions = partitions
        self.rowBytes = rowBytes
        self.storedAt = storedAt
        self.compressor = compressor
        open = Array(repeating: LogBatch(), count: partitions.count)
    }

    mutating func add(_ record: NewRecord) -> Offset {
        let number = record.partition.number
        let offset = partitions[number].end
        if partitions[number].first == nil {
            let first = FirstRecord(offset: offset, timestamp: record.timestamp, key: record.key)
            partitions[number].first = first
            firsts.append((record.partition, first))
        }
        open[number].append(record, at: offset)
        partitions[number].end = offset + 1
        if open[number].bytes.count >= rowBytes { closeRow(of: record.partition) }
        return offset
    }

    mutating func finish() -> [LogRow] {
        for number in open.indices where !open[number].entries.isEmpty { closeRow(of: PartitionID(number)) }
        return rows
    }

    private mutating func closeRow(of partition: PartitionID) {
        let number = partition.number
        let chunk = open[number]
        open[number] = LogBatch()
        guard let first = chunk.entries.first else { return }
        let (codec, size, data) = encode(chunk)
        partitions[number].through += Int64(data.count)
        let times = chunk.entries.reduce(first.timestamp...first.timestamp) {
            min($0.lowerBound, $1.timestamp)...max($0.upperBound, $1.timestamp)
        }
        rows.append(
            LogRow(
                partition: partition, base: first.offset, count: chunk.entries.count, times: times, storedAt: storedAt,
                through: partitions[number].through, size: size, codec: codec, data: data))
        chunks.append(chunk)
    }

    private func encode(_ chunk: LogBatch) -> (LogRow.Codec, size: Int, [UInt8]) {
        var writer = BinaryWriter(reserving: chunk.encodedSize)
        chunk.encode(into: &writer)
        let plain = writer.bytes
        guard let compressor, plain.count >= Commit.compressedBytesMin else { return (.plain, plain.count, plain) }
        let compressed = compressor.compress(plain)
        // Reading pays for unpacking, so it has to be worth something.
        guard compressed.count < plain.count * 7 / 8 else { return (.plain, plain.count, plain) }
        return (.zstd, plain.count, compressed)
    }
}
