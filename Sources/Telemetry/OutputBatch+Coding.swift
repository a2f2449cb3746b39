/// How outputs travel between nodes.
extension OutputBatch {
    package func encode(into writer: inout BinaryWriter) {
        writer.write(UInt32(newStreams.count))
        for stream in newStreams {
            writer.write(UInt32(bitPattern: stream.stream))
            writer.write(stream.id.description)
        }
        writer.write(UInt32(entries.count))
        for entry in entries {
            writer.write(UInt32(bitPattern: entry.stream))
            writer.write(entry.kind.rawValue)
            writer.write(entry.seq)
            writer.write(entry.previous)
            writer.write(entry.time)
            writer.write(UInt32(entry.count))
        }
        writer.write(bytes)
    }

    /// - Throws: `BinaryError` when these are no outputs. That streams are known is for the caller to check.
    package init(from reader: inout BinaryReader) throws(BinaryError) {
        let newCount: UInt32 = try reader.read()
        for _ in 0..<newCount {
            let number: UInt32 = try reader.read()
            let name = try reader.readString()
            guard let id = StreamID(name) else { throw .invalid(what: "stream", value: name) }
            announce(Int32(bitPattern: number), id)
        }
        let count: UInt32 = try reader.read()
        var start = 0
        for _ in 0..<count { try readEntry(from: &reader, &start) }
        bytes = Array(try reader.readBytes())
        guard start == bytes.count else {
            throw .invalid(what: "bytes of outputs", value: "\(bytes.count), not \(start)")
        }
    }

    private mutating func readEntry(from reader: inout BinaryReader, _ start: inout Int) throws(BinaryError) {
        let stream: UInt32 = try reader.read()
        let rawKind: UInt8 = try reader.read()
        guard let kind = OutputKind(rawValue: rawKind) else { throw .invalid(what: "kind", value: "\(rawKind)") }
        let seq: UInt64 = try reader.read()
        let previous: UInt64 = try reader.read()
        let time = try reader.readTimestamp()
        let size: UInt32 = try reader.read()
        entries.append(
            Entry(
                stream: Int32(bitPattern: stream), kind: kind, seq: seq, previous: previous, time: time, start: start,
                count: Int(size)))
        start += Int(size)
    }
}
