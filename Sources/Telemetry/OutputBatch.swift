/// What leaves a replica for one seq of one stream.
package enum OutputKind: UInt8, CaseIterable, Sendable {
    case point, insight, alert
}

/// Outputs of one shard in the order they were said, in one buffer. Reused, so that steady state allocates nothing.
package struct OutputBatch: Sendable {
    package struct Entry: Sendable {
        /// Which of the shard's streams: the place in `streams` of the shard, fixed for the life of the replica.
        package let stream: Int32
        package let kind: OutputKind
        package let seq: UInt64
        /// The seq of the one before of this kind; 0 when there was none.
        package let previous: UInt64
        package let time: Timestamp
        /// Where the JSON stands in `bytes`.
        package let start: Int
        package let count: Int
    }

    /// A stream that said something for the first time since the replica began.
    package struct NewStream: Sendable {
        package let stream: Int32
        package let id: StreamID
    }

    package internal(set) var entries: [Entry] = []
    package internal(set) var bytes: [UInt8] = []
    package private(set) var newStreams: [NewStream] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty && newStreams.isEmpty }

    package mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
        newStreams.removeAll(keepingCapacity: true)
    }

    package mutating func announce(_ stream: Int32, _ id: StreamID) {
        newStreams.append(NewStream(stream: stream, id: id))
    }

    /// The outputs for which `isWanted` holds, and all new streams.
    package func filtered(_ isWanted: (Entry) -> Bool) -> OutputBatch {
        var kept = OutputBatch()
        kept.newStreams = newStreams
        bytes.withUnsafeBytes { bytes in
            for entry in entries where isWanted(entry) {
                kept.append(
                    stream: entry.stream, kind: entry.kind, seq: entry.seq, previous: entry.previous, time: entry.time,
                    json: UnsafeRawBufferPointer(rebasing: bytes[entry.start..<entry.start + entry.count]))
            }
        }
        return kept
    }

    package mutating func append(
        stream: Int32, kind: OutputKind, seq: UInt64, previous: UInt64, time: Timestamp, json: UnsafeRawBufferPointer
    ) {
        entries.append(
            Entry(
                stream: stream, kind: kind, seq: seq, previous: previous, time: time, start: bytes.count,
                count: json.count))
        bytes.append(contentsOf: json)
    }
}
