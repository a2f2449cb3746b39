import Delivery
import Replication
import enum Sharding.Partitioner
import Telemetry

/// Checks what comes in and makes log records of it: one per chassis and body, so that a repeat of a publish is dropped
/// whole. Owned by one thread: it keeps a decoder and its buffers.
final class Gateway {
    enum Format {
        case json
        /// A header line, then rows.
        case csv
        /// Lines without a header, as sent over UDP.
        case line
    }

    struct Accepted {
        var records: [NewRecord] = []
        /// How many telemetry records are in them.
        var count = 0
        var rejected: [Rejection] = []
        var bytes: Int { records.reduce(0) { $0 + ($1.value?.count ?? 0) + 64 } }
    }

    private let partitions: Int
    private let decoder = RecordDecoder()
    private let lines = LineDecoder()
    private var groups: [Group] = []
    private var groupOf: [String: Int] = [:]
    private var lastGroup = 0

    /// Records of one chassis, as they will stand in the log.
    private struct Group {
        let chassis: [UInt8]
        var json = JSONWriter()
        var count = 0
        var done: [[UInt8]] = []

        mutating func finish() {
            guard count > 0 else { return }
            if count > 1 { json.raw("]") }
            done.append(count > 1 ? [UInt8(ascii: "[")] + json.bytes : json.bytes)
            json.removeAll()
            count = 0
        }
    }

    /// A log record of one body is cut at this size, unless it has an origin.
    private static let valueBytes = 256 << 10

    init(partitions: Int) { self.partitions = partitions }

    /// - Parameter time: of the log records, and of telemetry that names none.
    /// - Throws: `Refusal` when nothing of the body can be read.
    func take(
        _ body: UnsafeRawBufferPointer, as format: Format, origin: Origin? = nil, time: Timestamp
    ) throws(Refusal) -> Accepted {
        groups.removeAll(keepingCapacity: true)
        groupOf.removeAll(keepingCapacity: true)
        lastGroup = 0
        var accepted = Accepted()
        let cut = origin == nil ? Gateway.valueBytes : Int.max
        switch format {
        case .json:
            try decoder.decodeJSON(
                body, record: { _, record in add(record, cutAt: cut, &accepted) },
                refused: { reject($0, $1, origin, &accepted) })
        case .csv:
            let csv = CSVDecoder()
            try csv.feed(
                body, record: { _, record in add(record, cutAt: cut, &accepted) },
                refused: { reject($0, $1, origin, &accepted) })
            try csv.finish(
                record: { _, record in add(record, cutAt: cut, &accepted) },
                refused: { reject($0, $1, origin, &accepted) })
        case .line:
            lines.decode(
                body, record: { _, record in add(record, cutAt: cut, &accepted) },
                refused: { reject($0, $1, origin, &accepted) })
        }
        for index in groups.indices {
            groups[index].finish()
            let partition = PartitionID(Partitioner.partition(ofKey: groups[index].chassis, count: partitions))
            accepted.records += groups[index].done.map {
                NewRecord(
                    partition: partition, key: groups[index].chassis, value: $0, timestamp: time, origin: origin)
            }
        }
        return accepted
    }

    func take(_ body: [UInt8], as format: Format, time: Timestamp) throws(Refusal) -> Accepted {
        let result: Result<Accepted, Refusal> = body.withUnsafeBytes { bytes in
            Result { () throws(Refusal) in try take(bytes, as: format, time: time) }
        }
        return try result.get()
    }

    private func add(_ record: borrowing Record, cutAt limit: Int, _ accepted: inout Accepted) {
        let index = group(of: record.chassis)
        if groups[index].count > 0 { groups[index].json.comma() }
        if record.original.isEmpty {
            RecordEncoder.encode(record, into: &groups[index].json)
        } else {
            groups[index].json.raw(record.original)
        }
        groups[index].count += 1
        accepted.count += 1
        if groups[index].json.bytes.count >= limit { groups[index].finish() }
    }

    private func group(of chassis: UnsafeRawBufferPointer) -> Int {
        if lastGroup < groups.count, groups[lastGroup].chassis.elementsEqual(chassis) { return lastGroup }
        let name = String(decoding: chassis, as: UTF8.self)
        lastGroup = groupOf[name] ?? groups.count
        if lastGroup == groups.count {
            groupOf[name] = lastGroup
            groups.append(Group(chassis: Array(chassis)))
        }
        return lastGroup
    }

    private func reject(_ index: Int, _ refusal: Refusal, _ origin: Origin?, _ accepted: inout Accepted) {
        accepted.rejected.append(Rejection(sequence: origin?.sequence, index: index, refusal: refusal))
    }
}
