import Telemetry

/// How a batch is stored: per record a head of fixed size, then the bytes of all records in one piece.
///
/// The offsets are not part of it: they run on from the base that whoever stores it knows. Nor is a checksum.
extension LogBatch {
    /// timestamp, sequence: 8 bytes each; lengths of key, value, source: 4 each, −1 for `nil`.
    private static let headBytes = 28

    package var encodedSize: Int { entries.count * LogBatch.headBytes + bytes.count }

    package func encode(into writer: inout BinaryWriter) {
        for entry in entries {
            writer.write(entry.timestamp)
            writer.write(entry.sequence)
            for range in [entry.key, entry.value, entry.source] { writer.write(Int32(range?.count ?? -1)) }
        }
        writer.writeRaw(bytes)
    }

    /// - Parameter count: how many records are in `encoded`.
    /// - Throws: when the lengths do not add up; the batch may then hold some of the records.
    package init(_ encoded: ArraySlice<UInt8>, count: Int, base: Offset) throws(BinaryError) {
        self.init()
        let (size, overflow) = count.multipliedReportingOverflow(by: LogBatch.headBytes)
        guard count >= 0, !overflow, size <= encoded.count else {
            throw .truncated(needed: size, left: encoded.count)
        }
        var heads = BinaryReader(encoded.prefix(size))
        reserve(count: count, bytes: encoded.count - size)
        var end = 0
        for index in 0..<count { try appendHead(from: &heads, at: base + index, end: &end) }
        guard end == encoded.count - size else {
            throw .invalid(what: "sum of lengths", value: "\(end), with \(encoded.count - size) bytes there")
        }
        appendRaw(encoded.dropFirst(size))
    }

    private mutating func appendHead(
        from reader: inout BinaryReader, at offset: Offset, end: inout Int
    ) throws(BinaryError) {
        let timestamp = try reader.readTimestamp()
        let sequence: UInt64 = try reader.read()
        let key = try readRange(from: &reader, end: &end)
        let value = try readRange(from: &reader, end: &end)
        let source = try readRange(from: &reader, end: &end)
        appendEntry(
            Entry(offset: offset, timestamp: timestamp, key: key, value: value, source: source, sequence: sequence))
    }

    private func readRange(from reader: inout BinaryReader, end: inout Int) throws(BinaryError) -> Range<Int>? {
        let count: Int32 = try reader.read()
        guard count >= 0 else {
            guard count == -1 else { throw .invalid(what: "length", value: "\(count)") }
            return nil
        }
        defer { end += Int(count) }
        return end..<end + Int(count)
    }
}
