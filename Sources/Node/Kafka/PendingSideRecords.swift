import Kafka
import Telemetry

/// Side records of one shard that this replica made and did not write.
///
/// A replica that does not lead keeps those of the last seconds: when the leader dies, they may be what it had not
/// written yet.
struct PendingSideRecords {
    /// Longer than it takes to notice that a leader is gone.
    static let ageMax: Int64 = 10_000_000
    static let bytesMax = 1 << 20

    private struct Entry {
        let record: SideRecord
        let at: Timestamp
        var bytes: Int { 256 + (record.key?.count ?? 0) + (record.value?.count ?? 0) }
    }

    private var entries: [Entry] = []
    private var head = 0
    private var bytes = 0

    var isEmpty: Bool { head == entries.count }

    mutating func add(_ record: SideRecord, at now: Timestamp) {
        let entry = Entry(record: record, at: now)
        entries.append(entry)
        bytes += entry.bytes
        while bytes > PendingSideRecords.bytesMax { dropFirst() }
    }

    /// Another replica leads, and has had the time to write these.
    mutating func forgetOld(at now: Timestamp) {
        while !isEmpty, now.microseconds - entries[head].at.microseconds > PendingSideRecords.ageMax { dropFirst() }
    }

    mutating func takeAll() -> [SideRecord] {
        defer { (entries, head, bytes) = ([], 0, 0) }
        return entries[head...].map(\.record)
    }

    private mutating func dropFirst() {
        bytes -= entries[head].bytes
        head += 1
        if head > 64, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
    }
}
