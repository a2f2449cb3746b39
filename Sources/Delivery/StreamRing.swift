import Telemetry

/// The newest outputs of one stream, in the order they were said, in one circular buffer.
///
/// Every output has an *ordinal*: 0, 1, 2, … since this node began; a reader is a place in them. The buffer grows by
/// doubling up to its bound and then lets go of the oldest, so an idle stream costs next to nothing.
package struct StreamRing: Sendable {
    package struct Entry: Sendable {
        package let kind: OutputKind
        package let seq: UInt64
        package let previous: UInt64
        package let time: Timestamp
        fileprivate let start: Int
        package let count: Int
    }

    /// The oldest ordinal still here, and the one the next output gets.
    package private(set) var first: UInt64 = 0
    package private(set) var end: UInt64 = 0
    /// Per kind: the highest seq that is no longer here, or never was. What lies beyond can be had from the ring.
    package private(set) var floor: [UInt64]
    /// Per kind: the newest seq.
    package private(set) var latest: [UInt64]

    private var entries: [Entry] = []
    private var storage: [UInt8] = []
    private var head = 0  // Where the next output is stored.
    private var used = 0  // Bytes between the oldest output and `head`, skipped ones at the end included.
    private let capacityMax: Int

    /// - Parameter floor: per kind, the seq that the stream had reached before the first output that will come here.
    /// - Parameter capacityMax: bytes of JSON kept at most; at least `Limits.recordBytes` for one of any size to fit.
    package init(floor: [UInt64] = [0, 0, 0], capacityMax: Int) {
        self.floor = floor
        latest = floor
        self.capacityMax = max(capacityMax, Limits.recordBytes)
    }

    package var bytesReserved: Int { storage.count + entries.count * MemoryLayout<Entry>.stride }

    package subscript(_ ordinal: UInt64) -> Entry {
        precondition(ordinal >= first && ordinal < end, "ordinal \(ordinal) is not in \(first)..<\(end)")
        return entries[slot(ordinal)]
    }

    package func withBytes<Result>(of entry: Entry, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        storage.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[entry.start..<entry.start + entry.count])) }
    }

    package mutating func append(
        kind: OutputKind, seq: UInt64, previous: UInt64, time: Timestamp, json: UnsafeRawBufferPointer
    ) {
        let start = reserve(json.count)
        if end - first == UInt64(entries.count) { growEntries() }
        json.withMemoryRebound(to: UInt8.self) { source in
            storage.withUnsafeMutableBufferPointer { target in
                guard let from = source.baseAddress, let into = target.baseAddress else { return }
                (into + start).update(from: from, count: source.count)
            }
        }
        entries[slot(end)] = Entry(
            kind: kind, seq: seq, previous: previous, time: time, start: start, count: json.count)
        end += 1
        latest[Int(kind.rawValue)] = seq
    }

    /// Goes on at `floor`, beyond what was said here: what lies between can only be had from the log. Readers at the
    /// tip are behind from now on.
    package mutating func restart(at floor: [UInt64]) {
        end += 1
        first = end
        head = 0
        used = 0
        self.floor = floor
        latest = floor
    }

    /// The first ordinal that a reader at `position` has not handled; `nil` when some of it is gone.
    ///
    /// Outputs after it may still lie below a watermark; the reader skips those.
    package func ordinal(after position: Position, kinds: [OutputKind]) -> UInt64? {
        for kind in kinds where position[kind] < floor[Int(kind.rawValue)] { return nil }
        return (first..<end).partitioningIndex { ordinal in
            let entry = self[ordinal]
            return kinds.contains { position[$0] < entry.seq }
        }
    }

    /// The first ordinal whose output is of `time` or later; `nil` when that may have been let go already.
    package func ordinal(from time: Timestamp) -> UInt64? {
        guard first < end else { return floor[0] == 0 ? end : nil }
        if floor[0] > 0, self[first].time >= time { return nil }
        return (first..<end).first { self[$0].time >= time } ?? end
    }

    /// Where the newest outputs of at most so many bytes begin, and the last seq of each kind before them.
    package func tail(bytes limit: Int) -> (start: UInt64, floor: [UInt64]) {
        var (start, bytes, before) = (end, 0, latest)
        while start > first, bytes + self[start - 1].count <= limit {
            start -= 1
            bytes += self[start].count
            before[Int(self[start].kind.rawValue)] = self[start].previous
        }
        // What lies between an output and the one before of its kind may have been said elsewhere.
        return (start, start == first ? floor : zip(before, floor).map(max))
    }

    // MARK: Storage

    private func slot(_ ordinal: UInt64) -> Int { Int(ordinal & UInt64(entries.count - 1)) }

    /// Finds `count` contiguous bytes, letting go of the oldest outputs or growing until there are.
    private mutating func reserve(_ count: Int) -> Int {
        while true {
            let room = storage.count - head
            let skipped = room < count ? room : 0  // An output is never split over the end.
            if count <= storage.count, used + skipped + count <= storage.count {
                if skipped > 0 { head = 0 }
                used += skipped + count
                let start = head
                head = head + count == storage.count ? 0 : head + count
                return start
            }
            if storage.count < capacityMax {
                growStorage(for: count)
            } else {
                letGoOfOldest()
            }
        }
    }

    private mutating func letGoOfOldest() {
        guard first < end else {
            // Empty: begin at the front, where the largest contiguous room is.
            head = 0
            used = 0
            return
        }
        let oldest = entries[slot(first)]
        floor[Int(oldest.kind.rawValue)] = oldest.seq
        first += 1
        if first == end {
            head = 0
            used = 0
        } else {
            let start = entries[slot(first)].start
            used = start < head ? head - start : storage.count - start + head
        }
    }

    /// Moves everything to the front of a larger buffer.
    private mutating func growStorage(for count: Int) {
        var larger: [UInt8] = []
        let needed = used + count
        var size = max(1_024, storage.count * 2)
        while size < needed, size < capacityMax { size *= 2 }
        larger.reserveCapacity(min(size, capacityMax))
        for ordinal in first..<end {
            let entry = self[ordinal]
            let start = larger.count
            larger.append(contentsOf: storage[entry.start..<entry.start + entry.count])
            entries[slot(ordinal)] = Entry(
                kind: entry.kind, seq: entry.seq, previous: entry.previous, time: entry.time, start: start,
                count: entry.count)
        }
        head = larger.count
        used = larger.count
        larger += [UInt8](repeating: 0, count: min(size, capacityMax) - larger.count)
        storage = larger
        if head == storage.count { head = 0 }
    }

    private mutating func growEntries() {
        let none = Entry(
            kind: .point, seq: 0, previous: 0, time: Timestamp(microseconds: 0), start: 0, count: 0)
        var larger = [Entry](repeating: none, count: max(8, entries.count * 2))
        for ordinal in first..<end { larger[Int(ordinal & UInt64(larger.count - 1))] = self[ordinal] }
        entries = larger
    }
}

extension Range where Bound == UInt64 {
    /// The first element for which `isAfter` holds, which must hold for all that follow; `upperBound` if for none.
    func partitioningIndex(_ isAfter: (UInt64) -> Bool) -> UInt64 {
        var (low, high) = (lowerBound, upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if isAfter(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
