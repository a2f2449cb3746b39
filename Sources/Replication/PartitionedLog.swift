import Telemetry

/// A partition of a topic. Partition p of every topic together are shard p.
package struct PartitionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let number: Int
    package init(_ number: Int) { self.number = number }
    package static func < (left: PartitionID, right: PartitionID) -> Bool { left.number < right.number }
    package var description: String { "\(number)" }
}

/// A position in one partition, not a count.
package struct Offset: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: Int64
    package init(_ value: Int64) { self.value = value }
    package static func < (left: Offset, right: Offset) -> Bool { left.value < right.value }
    package static func + (offset: Offset, records: Int) -> Offset { Offset(offset.value + Int64(records)) }
    package static let zero = Offset(0)
    /// Stored, and nobody said where.
    package static let unknown = Offset(-1)
    package var description: String { "\(value)" }
}

/// Who published a record and under which number, so that a repeat can be told. Numbers rise by one per publish.
package struct Origin: Hashable, Sendable {
    package let source: String
    package let sequence: UInt64
    package init(source: String, sequence: UInt64) {
        self.source = source
        self.sequence = sequence
    }
}

/// One record to append.
package struct NewRecord: Sendable, Equatable {
    package var partition: PartitionID
    /// Chassis or baseline id; `nil` as in Kafka.
    package var key: [UInt8]?
    /// One JSON object or an array of them; `nil` is a tombstone.
    package var value: [UInt8]?
    package var timestamp: Timestamp
    package var origin: Origin?

    package init(
        partition: PartitionID, key: [UInt8]?, value: [UInt8]?, timestamp: Timestamp, origin: Origin? = nil
    ) {
        self.partition = partition
        self.key = key
        self.value = value
        self.timestamp = timestamp
        self.origin = origin
    }
}

/// Records of one partition in offset order, in one buffer: no heap object per record. Reused between reads.
package struct LogBatch: Sendable {
    package struct Entry: Sendable {
        package let offset: Offset
        package let timestamp: Timestamp
        /// `nil`: the record has none.
        package let key: Range<Int>?
        package let value: Range<Int>?
        package let source: Range<Int>?
        package let sequence: UInt64

        fileprivate func shifted(by count: Int) -> Entry {
            func shift(_ range: Range<Int>?) -> Range<Int>? {
                range.map { $0.lowerBound + count..<$0.upperBound + count }
            }
            return Entry(
                offset: offset, timestamp: timestamp, key: shift(key), value: shift(value), source: shift(source),
                sequence: sequence)
        }
    }

    package private(set) var entries: [Entry] = []
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    package mutating func append(
        offset: Offset, timestamp: Timestamp, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        source: UnsafeRawBufferPointer? = nil, sequence: UInt64 = 0
    ) {
        entries.append(
            Entry(
                offset: offset, timestamp: timestamp, key: store(key), value: store(value), source: store(source),
                sequence: sequence))
    }

    package mutating func append(_ record: borrowing NewRecord, at offset: Offset) {
        entries.append(
            Entry(
                offset: offset, timestamp: record.timestamp, key: store(record.key), value: store(record.value),
                source: store(record.origin?.source.utf8), sequence: record.origin?.sequence ?? 0))
    }

    /// Copies whole records with their bytes in one piece.
    package mutating func copy(_ indices: Range<Int>, of other: LogBatch) {
        guard !indices.isEmpty else { return }
        let start = other.byteStart(of: indices.lowerBound)
        let shift = bytes.count - start
        bytes.append(contentsOf: other.bytes[start..<other.byteStart(of: indices.upperBound)])
        for entry in other.entries[indices] { entries.append(entry.shifted(by: shift)) }
    }

    /// Where the bytes of the record at `index` begin; those of one past the last begin at the end.
    package func byteStart(of index: Int) -> Int {
        for entry in entries[index...] {
            if let range = entry.key ?? entry.value ?? entry.source { return range.lowerBound }
        }
        return bytes.count
    }

    mutating func reserve(count: Int, bytes byteCount: Int) {
        entries.reserveCapacity(count)
        bytes.reserveCapacity(byteCount)
    }
    mutating func appendEntry(_ entry: Entry) { entries.append(entry) }
    mutating func appendRaw(_ raw: ArraySlice<UInt8>) { bytes.append(contentsOf: raw) }

    private mutating func store(_ raw: (some Collection<UInt8>)?) -> Range<Int>? {
        guard let raw else { return nil }
        let start = bytes.count
        bytes.append(contentsOf: raw)
        return start..<bytes.count
    }
}

/// Why the log did not do what it was asked.
package enum LogError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nothing of the append was stored; it may be tried again when there is room.
    case full(reason: String)
    /// The offset was removed by retention (or a truncation); reading can go on at `earliest`.
    case truncated(PartitionID, asked: Offset, earliest: Offset)
    case noSuchPartition(PartitionID, count: Int)
    /// Stored bytes fail their check; nothing from there on is returned.
    case corrupt(PartitionID, at: Offset, reason: String)
    case io(reason: String)
    /// Nothing of the append was stored, or the read did not come through; the same call may work later.
    case unavailable(reason: String)
    /// No answer came: of the append some, all or nothing may be stored. Who publishes again must do so under the same
    /// `source` and `source_seq`, so that the engine drops what is there already.
    case ambiguous(reason: String)
    /// The client of the log is beyond repair; the process must be started again.
    case fatal(reason: String)
    case closed

    package var description: String {
        switch self {
        case .full(let reason): "the log is full and took nothing: \(reason); free some space or shorten retention"
        case .truncated(let partition, let asked, let earliest):
            "partition \(partition) begins at offset \(earliest); \(asked) is gone"
        case .noSuchPartition(let partition, let count): "partition \(partition) does not exist; there are \(count)"
        case .corrupt(let partition, let offset, let reason): "partition \(partition) at \(offset): \(reason)"
        case .io(let reason): reason
        case .unavailable(let reason): "\(reason); nothing was stored, try again"
        case .ambiguous(let reason): "\(reason); records may be stored: repeat them with the same source_seq"
        case .fatal(let reason): "\(reason); this cannot be repaired while running: start the node again"
        case .closed: "the log is closed"
        }
    }
}

/// An ordered, durable log in partitions: the only truth there is. Kafka, SQLite and memory implement it, and one
/// suite of tests (`PartitionedLogSuite`) holds for all.
///
/// Calls block; they belong on a thread of their own, never on the cooperative pool.
package protocol PartitionedLog: AnyObject, Sendable {
    /// Fixed for the life of the log.
    var partitionCount: Int { get }

    /// Appends all or nothing and returns when every record is durable. (Kafka, which cannot do that without
    /// transactions, says `.ambiguous` when it is neither.)
    /// - Returns: the offset of each record, in the order given; `.unknown` for one that a broker acknowledged as a
    ///   repeat without saying where it is.
    func append(_ records: [NewRecord]) throws(LogError) -> [Offset]

    /// Reads from `offset` on into `batch`, which is emptied first: at least one record if there is one, then as many
    /// as fit in about `maxBytes`. `batch` stays empty at the end of the partition.
    func read(_ partition: PartitionID, from offset: Offset, maxBytes: Int, into batch: inout LogBatch) throws(LogError)

    /// The first offset still there; equals `endOffset` when there is none.
    func earliestOffset(of partition: PartitionID) throws(LogError) -> Offset

    /// The offset the next record will get.
    func endOffset(of partition: PartitionID) throws(LogError) -> Offset

    /// Both at once, which is one question where the log is elsewhere.
    func extent(of partition: PartitionID) throws(LogError) -> (earliest: Offset, end: Offset)

    /// Which history this partition is: a hash of the topic and of the first record it ever held, kept when retention
    /// has removed that record. `nil` as long as there never was one.
    func lineage(of partition: PartitionID) throws(LogError) -> UInt64?

    /// What a snapshot or a peer says the lineage is, for a log that has lost its first record. What is known stays.
    func adopt(lineage: UInt64, of partition: PartitionID)

    /// A name for what is left when nobody knows the lineage; kept from then on.
    func lineageOfRemains(of partition: PartitionID) throws(LogError) -> UInt64?

    /// Ends all use; waits for what is under way. Later calls throw `.closed`.
    func close()
}

/// For logs that keep the lineage whatever retention removes.
extension PartitionedLog {
    package func extent(of partition: PartitionID) throws(LogError) -> (earliest: Offset, end: Offset) {
        (try earliestOffset(of: partition), try endOffset(of: partition))
    }

    package func adopt(lineage: UInt64, of partition: PartitionID) {}

    package func lineageOfRemains(of partition: PartitionID) throws(LogError) -> UInt64? { try lineage(of: partition) }
}
