import Replication
import Telemetry

/// Where each partition begins and ends, and the newest records of all. Readers share it with the writer.
struct Positions: Sendable {
    struct Partition: Sendable {
        var earliest: Offset
        var end: Offset
        var first: FirstRecord?
        /// As in `LogRow`.
        var through: Int64
    }

    /// Where records are to be found.
    enum Place {
        case end
        case memory(ArraySlice<LogBatch>)
        case file
    }

    var isClosed = false
    private var partitions: [Partition]
    private var tails: [RecordChunks]
    /// The partitions of the tail's chunks, oldest first.
    private var tailOrder: ArraySlice<PartitionID> = []
    private var tailBytes = 0
    private let tailBytesMax: Int

    init(_ recovered: [LogFile.Recovered], tailBytes: Int) {
        partitions = recovered.map {
            Partition(earliest: $0.earliest, end: $0.end, first: $0.first, through: $0.through)
        }
        tails = Array(repeating: RecordChunks(), count: recovered.count)
        tailBytesMax = tailBytes
    }

    subscript(partition: PartitionID) -> Partition { partitions[partition.number] }
    var all: [Partition] { partitions }

    func partition(_ partition: PartitionID) throws(LogError) -> Partition {
        guard !isClosed else { throw .closed }
        return partitions[partition.number]
    }

    func place(of offset: Offset, in partition: PartitionID, maxBytes: Int) throws(LogError) -> Place {
        guard !isClosed else { throw .closed }
        let state = partitions[partition.number]
        guard offset >= state.earliest else {
            throw .truncated(partition, asked: offset, earliest: state.earliest)
        }
        guard offset < state.end else { return .end }
        let chunks = tails[partition.number].chunks(from: offset, maxBytes: maxBytes)
        return chunks.isEmpty ? .file : .memory(chunks)
    }

    /// Makes stored records visible.
    mutating func publish(_ partition: PartitionID, _ chunk: LogBatch, first: FirstRecord?, through: Int64) {
        guard let end = chunk.end else { return }
        let number = partition.number
        if partitions[number].first == nil { partitions[number].first = first }
        partitions[number].end = end
        partitions[number].through = through
        tails[number].append(chunk)
        tailOrder.append(partition)
        tailBytes += chunk.bytes.count
        while tailBytes > tailBytesMax, let oldest = tailOrder.popFirst() { dropOldest(of: oldest) }
    }

    /// Hides records that are about to be removed.
    mutating func advance(_ partition: PartitionID, to earliest: Offset) {
        partitions[partition.number].earliest = max(partitions[partition.number].earliest, earliest)
    }

    private mutating func dropOldest(of partition: PartitionID) {
        guard let chunk = tails[partition.number].removeOldest() else { return }
        tailBytes -= chunk.bytes.count
    }
}
