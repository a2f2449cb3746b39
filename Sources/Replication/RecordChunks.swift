/// Consecutive records of one partition in memory, oldest first: what a `MemoryLog` holds and the tail other logs keep.
package struct RecordChunks: Sendable {
    /// Each holds at least one record.
    private var chunks: ArraySlice<LogBatch> = []

    package init() {}

    package var isEmpty: Bool { chunks.isEmpty }
    /// `nil` when there is none.
    package var earliest: Offset? { chunks.first?.entries.first?.offset }
    package var oldest: LogBatch? { chunks.first }
    package var count: Int { chunks.count }

    package mutating func append(_ chunk: LogBatch) {
        precondition(!chunk.entries.isEmpty, "a chunk without records has no place in the order")
        chunks.append(chunk)
    }

    package mutating func removeOldest() -> LogBatch? { chunks.popFirst() }

    /// The chunks that hold `offset` and what follows, at least one and then up to `maxBytes`; empty when `offset` is
    /// not here. They share their storage with these, so taking them under a lock is cheap.
    package func chunks(from offset: Offset, maxBytes: Int) -> ArraySlice<LogBatch> {
        guard let earliest, offset >= earliest else { return [] }
        let start = index(of: offset)
        var end = start
        var bytes = 0
        while end < chunks.endIndex, end == start || bytes < maxBytes {
            bytes += chunks[end].bytes.count
            end += 1
        }
        return chunks[start..<end]
    }

    /// Binary search for the last chunk that begins at or before `offset`.
    private func index(of offset: Offset) -> Int {
        var low = chunks.startIndex
        var high = chunks.endIndex
        while high - low > 1 {
            let middle = (low + high) / 2
            if chunks[middle].entries[0].offset <= offset { low = middle } else { high = middle }
        }
        return low
    }
}

extension LogBatch {
    /// Copies records of `other` from `offset` on while they fit in `maxBytes` altogether; the first always fits.
    /// - Returns: false when it stopped for lack of room.
    @discardableResult
    package mutating func append(_ other: LogBatch, from offset: Offset, maxBytes: Int) -> Bool {
        guard let first = other.entries.first else { return true }
        let start = max(0, Int(offset.value - first.offset.value))
        guard start < other.entries.count else { return true }
        let from = other.byteStart(of: start)
        let room = maxBytes - bytes.count + from
        var end = other.entries.count
        if other.bytes.count > room {
            end = start
            while end < other.entries.count, other.byteStart(of: end + 1) <= room { end += 1 }
            if end == start, entries.isEmpty { end += 1 }
        }
        copy(start..<end, of: other)
        return end == other.entries.count
    }
}
