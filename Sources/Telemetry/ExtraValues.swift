/// The last values of a stream's channels outside the catalogue, sorted by name; at most 64, the first that came.
///
/// A known name costs no allocation.
package struct ExtraValues: Sendable, Equatable {
    package static let capacity = 64

    package struct Entry: Sendable, Equatable {
        package let name: [UInt8]
        package fileprivate(set) var value: Double
        /// It has a value in the point that is being assembled.
        fileprivate(set) var sampled: Double?
        /// Its value in the point before, of this stream's long points.
        fileprivate(set) var previous: Double?

        package var text: String { String(decoding: name, as: UTF8.self) }
    }

    package private(set) var entries: [Entry] = []
    private var sampledCount = 0
    private var previousCount = 0

    /// Where the value is kept, or would be.
    private func index(of name: UnsafeRawBufferPointer) -> (index: Int, isFound: Bool) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            switch compare(entries[middle].name, name) {
            case 0: return (middle, true)
            case ..<0: low = middle + 1
            default: high = middle
            }
        }
        return (low, false)
    }

    func isSampled(_ name: UnsafeRawBufferPointer) -> Bool {
        guard sampledCount > 0 else { return false }
        let place = index(of: name)
        return place.isFound && entries[place.index].sampled != nil
    }

    /// - Returns: false when there is no room for another name, or it is too long to be kept.
    mutating func sample(_ name: UnsafeRawBufferPointer, _ value: Double) -> Bool {
        let place = index(of: name)
        if !place.isFound {
            guard entries.count < ExtraValues.capacity, name.count <= Limits.idBytes else { return false }
            entries.insert(Entry(name: Array(name), value: value), at: place.index)
        }
        if entries[place.index].sampled == nil { sampledCount += 1 }
        entries[place.index].sampled = value
        return true
    }

    /// The sample is the same as the one before.
    var isRepeat: Bool {
        sampledCount == previousCount && (sampledCount == 0 || entries.allSatisfy { $0.sampled == $0.previous })
    }

    /// Ends the sample. `isNewest`: its values are the last ones.
    mutating func endSample(isNewest: Bool) {
        guard sampledCount > 0 || previousCount > 0 else { return }
        for index in entries.indices {
            if isNewest, let sampled = entries[index].sampled { entries[index].value = sampled }
            entries[index].previous = entries[index].sampled
            entries[index].sampled = nil
        }
        previousCount = sampledCount
        sampledCount = 0
    }

    mutating func forgetPrevious() {
        guard previousCount > 0 else { return }
        for index in entries.indices { entries[index].previous = nil }
        previousCount = 0
    }

    func writeSampled(_ members: inout JSONMembers, into json: inout JSONWriter) {
        guard sampledCount > 0 else { return }
        for entry in entries {
            guard let value = entry.sampled else { continue }
            entry.name.withUnsafeBytes { members.number($0, value, &json) }
        }
    }
}

/// Byte by byte, as the order of names.
private func compare(_ left: [UInt8], _ right: UnsafeRawBufferPointer) -> Int {
    for index in 0..<min(left.count, right.count) where left[index] != right[index] {
        return Int(left[index]) - Int(right[index])
    }
    return left.count - right.count
}

// MARK: Snapshot format

extension ExtraValues {
    func encode(into writer: inout BinaryWriter) {
        writer.write(UInt8(entries.count))
        for entry in entries {
            writer.write(entry.name)
            writer.write(entry.value)
            writer.write(entry.sampled)
            writer.write(entry.previous)
        }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        let count: UInt8 = try reader.read()
        guard count <= ExtraValues.capacity else { throw .invalid(what: "count of channels", value: "\(count)") }
        for _ in 0..<count {
            let name = Array(try reader.readString().utf8)
            let isInOrder = entries.last.map { last in name.withUnsafeBytes { compare(last.name, $0) < 0 } } ?? true
            guard isInOrder, name.count <= Limits.idBytes else {
                throw .invalid(what: "name of a channel", value: String(decoding: name, as: UTF8.self))
            }
            let entry = Entry(
                name: name, value: try reader.readFinite(), sampled: try reader.readOptionalFinite(),
                previous: try reader.readOptionalFinite())
            sampledCount += entry.sampled == nil ? 0 : 1
            previousCount += entry.previous == nil ? 0 : 1
            entries.append(entry)
        }
    }
}

extension BinaryReader {
    mutating func readFinite() throws(BinaryError) -> Double {
        let value = try readDouble()
        guard value.isFinite else { throw .invalid(what: "number", value: "\(value)") }
        return value
    }

    mutating func readOptionalFinite() throws(BinaryError) -> Double? {
        try readOptional { reader throws(BinaryError) in try reader.readFinite() }
    }

    mutating func readOptionalTimestamp() throws(BinaryError) -> Timestamp? {
        try readOptional { reader throws(BinaryError) in try reader.readTimestamp() }
    }
}
