import Insight
import Telemetry

/// The state of one shard: a fold over its partition.
///
/// Two replicas that applied the same records have equal state, equal outputs and equal `hash`, whenever and wherever
/// they did so. What arrives broken is counted and stepped over; nothing in a record can stop a shard.
package struct Shard {
    package let partition: PartitionID
    package let tracks: TrackTable
    /// Names the log. `nil` until the partition's first record is known.
    package var lineage: UInt64?
    /// The offset of the next record to apply.
    package private(set) var next = Offset.zero
    package private(set) var accounting = Accounting()

    var states: [StreamState] = []
    private var index = StreamIndex()

    /// What happened to records that made no point.
    package struct Accounting: Sendable, Equatable {
        package var logRecords: UInt64 = 0
        /// Log records that were gone before they could be applied.
        package var lost: UInt64 = 0
        /// Log records without a value.
        package var tombstones: UInt64 = 0
        /// Telemetry records that could not be read, by reason.
        package var refused: [Refusal.Reason: UInt64] = [:]
        package var refusedTotal: UInt64 { refused.values.reduce(0, +) }
    }

    package init(partition: PartitionID, tracks: TrackTable) {
        self.partition = partition
        self.tracks = tracks
    }

    package var streamCount: Int { states.count }
    package var streamIDs: [StreamID] { states.map(\.id) }

    /// Applies what `batch` holds from `next` on; earlier records are skipped, for they were applied before.
    ///
    /// - Parameter limit: records from this offset on are left for the next call.
    /// - Parameter only: fold this stream and leave the others as they are. For replays; `hash` means nothing then.
    /// - Parameter outputs: what was said is appended.
    package mutating func apply(
        _ batch: borrowing LogBatch, until limit: Offset? = nil, decoder: RecordDecoder, scratch: inout FoldScratch,
        only: StreamFilter? = nil, into outputs: inout OutputBatch
    ) {
        scratch.refused.removeAll(keepingCapacity: true)
        batch.bytes.withUnsafeBytes { bytes in
            for entry in batch.entries where entry.offset >= next {
                if let limit, entry.offset >= limit { return }
                apply(entry, bytes, decoder, &scratch, only, &outputs)
                next = entry.offset + 1
            }
        }
    }

    private mutating func apply(
        _ entry: LogBatch.Entry, _ bytes: UnsafeRawBufferPointer, _ decoder: RecordDecoder,
        _ scratch: inout FoldScratch, _ only: StreamFilter?, _ outputs: inout OutputBatch
    ) {
        accounting.logRecords += 1
        guard let valueRange = entry.value else {
            accounting.tombstones += 1
            return
        }
        let value = UnsafeRawBufferPointer(rebasing: bytes[valueRange])
        let key = entry.key.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
        if let only, !only.mayConcern(key: key, value: value) { return }
        if ControlRecord.parse(value) == .flush { return flush(key, &scratch, only, &outputs) }

        let source = entry.source.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
        do throws(Refusal) {
            try decoder.decodeJSON(
                value,
                record: { _, record in
                    let state = state(of: record.chassis, &scratch, &outputs)
                    if let only, !only.isStream(state.id) { return }
                    if let source, !Shard.isNew(source, entry, state) { return }
                    Shard.fold(record, entry, state, &scratch, &outputs)
                },
                refused: { index, refusal in
                    accounting.refused[refusal.reason, default: 0] += 1
                    scratch.note(RefusedRecord(entry: entry, element: index, refusal: refusal))
                })
        } catch {
            accounting.refused[error.reason, default: 0] += 1
            scratch.note(RefusedRecord(entry: entry, element: nil, refusal: error))
        }
    }

    // Static from here on: methods of a struct that is being changed would be given a copy of it, for every record.

    private static func fold(
        _ record: borrowing Record, _ entry: LogBatch.Entry, _ state: StreamState, _ scratch: inout FoldScratch,
        _ outputs: inout OutputBatch
    ) {
        let number = scratch.lastNumber
        state.assembler.add(record, logTime: entry.timestamp) { point, json in
            say(point, json, state, number, &scratch.said, &outputs)
        }
    }

    /// Numbers a point's outputs and hands them on.
    private static func say(
        _ point: borrowing Point, _ json: UnsafeRawBufferPointer, _ state: StreamState, _ number: Int32,
        _ said: inout EngineOutputs, _ outputs: inout OutputBatch
    ) {
        said.removeAll()
        state.engine.apply(point, into: &said)
        emit(.point, json, point, state, number, &outputs)
        if !said.insight.isEmpty {
            said.insight.bytes.withUnsafeBytes { emit(.insight, $0, point, state, number, &outputs) }
        }
        if !said.alerts.isEmpty {
            said.alerts.bytes.withUnsafeBytes { emit(.alert, $0, point, state, number, &outputs) }
        }
    }

    private static func emit(
        _ kind: OutputKind, _ json: UnsafeRawBufferPointer, _ point: borrowing Point, _ state: StreamState,
        _ number: Int32, _ outputs: inout OutputBatch
    ) {
        outputs.append(
            stream: number, kind: kind, seq: point.seq, previous: state.lastSaid[Int(kind.rawValue)], time: point.time,
            json: json)
        state.lastSaid[Int(kind.rawValue)] = point.seq
    }

    /// Closes the open point of the key's stream.
    private mutating func flush(
        _ key: UnsafeRawBufferPointer?, _ scratch: inout FoldScratch, _ only: StreamFilter?,
        _ outputs: inout OutputBatch
    ) {
        guard let key, let number = index.number(of: key) else { return }
        let state = states[number]
        if let only, !only.isStream(state.id) { return }
        state.assembler.flush { point, json in
            Shard.say(point, json, state, Int32(number), &scratch.said, &outputs)
        }
    }

    private static func isNew(_ source: UnsafeRawBufferPointer, _ entry: LogBatch.Entry, _ state: StreamState) -> Bool {
        if state.judged != entry.offset {
            state.judged = entry.offset
            state.judgedNew = state.sources.accept(source, entry.sequence, at: state.lastSaid[0])
        }
        if !state.judgedNew { state.accounting.repeats += 1 }
        return state.judgedNew
    }

    /// The state of a chassis; a new one when it was not seen before.
    private mutating func state(
        of id: UnsafeRawBufferPointer, _ scratch: inout FoldScratch, _ outputs: inout OutputBatch
    ) -> StreamState {
        let last = Int(scratch.lastNumber)
        if last < states.count, scratch.lastID.count == id.count,
            scratch.lastID.withUnsafeBytes({ $0.elementsEqual(id) })
        {
            return states[last]
        }
        let number = index.number(of: id) ?? add(StreamID(.chassis, String(decoding: id, as: UTF8.self)), &outputs)
        scratch.lastNumber = Int32(number)
        scratch.lastID.replaceSubrange(scratch.lastID.startIndex..., with: id)
        return states[number]
    }

    private mutating func add(_ id: StreamID, _ outputs: inout OutputBatch) -> Int {
        let number = insert(StreamState(id: id, tracks: tracks))
        outputs.announce(Int32(number), id)
        return number
    }

    mutating func insert(_ state: StreamState) -> Int {
        var id = state.id.id
        let number = id.withUTF8 { index.insert(UnsafeRawBufferPointer($0)) }
        states.append(state)
        return number
    }

    /// Goes on at `offset`; what lies between is gone.
    package mutating func skip(to offset: Offset) {
        accounting.lost += UInt64(max(0, offset.value - next.value))
        next = offset
    }

    mutating func resume(at offset: Offset, accounting: Accounting) {
        next = offset
        self.accounting = accounting
    }
}

/// Buffers of a fold, reused from batch to batch. One per thread that folds, and per shard: it remembers the last stream.
package struct FoldScratch {
    var said = EngineOutputs()
    var lastNumber: Int32 = 0
    var lastID: [UInt8] = []
    /// What the last `apply` could not read, the first `refusedMax` of it: for whoever writes them to a dead-letter
    /// topic. All of it is in the shard's accounting.
    package fileprivate(set) var refused: [RefusedRecord] = []
    package static let refusedMax = 100
    package init() {}

    fileprivate mutating func note(_ record: RefusedRecord) {
        if refused.count < FoldScratch.refusedMax { refused.append(record) }
    }
}

/// A record of the log, or one element of its array, that could not be read.
package struct RefusedRecord: Sendable {
    /// Its bytes are in the batch that was applied.
    package let entry: LogBatch.Entry
    /// Place in the array; `nil` when the record as a whole is no JSON.
    package let element: Int?
    package let refusal: Refusal
}

/// Names the one stream that a replay is about, and tells cheaply which log records cannot concern it.
package struct StreamFilter: Sendable {
    private let stream: StreamID
    private let id: [UInt8]

    package init(_ stream: StreamID) {
        self.stream = stream
        id = Array(stream.id.utf8)
    }

    func isStream(_ other: StreamID) -> Bool { other == stream }

    /// False only when neither key nor value can name the stream. A value with escapes might in a way not seen here.
    func mayConcern(key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer) -> Bool {
        if let key, key.elementsEqual(id) { return true }
        return value.contains(UInt8(ascii: "\\")) || value.firstRange(ofBytes: id) != nil
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func firstRange(ofBytes pattern: [UInt8]) -> Range<Int>? {
        guard let first = pattern.first, count >= pattern.count else { return nil }
        var start = 0
        while let found = self[start...(count - pattern.count)].firstIndex(of: first) {
            if self[found..<found + pattern.count].elementsEqual(pattern) { return found..<found + pattern.count }
            start = found + 1
            if start > count - pattern.count { return nil }
        }
        return nil
    }
}
