import Telemetry

/// Cuts a file's rows into publishes, never within an instant of one vehicle.
///
/// So the points are the same whether a pause, or the end of a play, comes between two publishes or not.
struct RowBatcher {
    struct Batch {
        /// 1, 2, 3, … in the file.
        let sequence: UInt64
        let json: [UInt8]
        /// Rows of the file up to and including this batch.
        let rowsThrough: Int
        /// Of its first row.
        let time: Timestamp?
    }

    private struct Instant: Equatable {
        var chassis: [UInt8] = []
        var car: Timestamp?
        var meta: Timestamp?
    }

    private let rowsMax: Int
    /// A batch spans no more than this of the rows' time.
    private let spanMicroseconds: Int64?
    private var json = JSONWriter(reserving: 256 << 10)
    private var rows = 0
    private var rowsTotal = 0
    private var time: Timestamp?
    private var last = Instant()
    private var sequence: UInt64 = 0
    private var done: [Batch] = []

    init(rowsMax: Int, spanMicroseconds: Int64?) {
        self.rowsMax = rowsMax
        self.spanMicroseconds = spanMicroseconds
    }

    mutating func add(_ record: borrowing Record) {
        let recordTime = record.metaTime ?? record.carTime
        if rows > 0, !continuesInstant(record), isFull(at: recordTime) { finish() }
        if rows == 0 { time = recordTime }
        json.raw(rows == 0 ? "[" : ",")
        RecordEncoder.encode(record, into: &json)
        rows += 1
        rowsTotal += 1
        remember(record)
    }

    /// A row that is no record.
    mutating func skipRow() { rowsTotal += 1 }

    mutating func finish() {
        guard rows > 0 else { return }
        json.raw("]")
        sequence += 1
        done.append(Batch(sequence: sequence, json: json.bytes, rowsThrough: rowsTotal, time: time))
        json.removeAll()
        rows = 0
    }

    mutating func take() -> [Batch] {
        defer { done = [] }
        return done
    }

    private func isFull(at now: Timestamp?) -> Bool {
        if rows >= rowsMax { return true }
        guard let spanMicroseconds, let time, let now else { return false }
        return now.microseconds - time.microseconds >= spanMicroseconds
    }

    private func continuesInstant(_ record: borrowing Record) -> Bool {
        guard record.shape == .long, last.chassis.elementsEqual(record.chassis) else { return false }
        return record.carTime != nil ? record.carTime == last.car : record.metaTime == last.meta
    }

    private mutating func remember(_ record: borrowing Record) {
        last.car = record.carTime
        last.meta = record.metaTime
        if !last.chassis.elementsEqual(record.chassis) { last.chassis = Array(record.chassis) }
    }
}
