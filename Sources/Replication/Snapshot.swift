import Telemetry

/// The state of one shard at an offset, as it is stored: who folded what, how far, and a check over all of it.
///
/// Layout, little-endian: magic, format version, length of the whole, CRC-32C of these; then the content; then the
/// CRC-32C of everything before. The head never changes, so that any program can tell a newer format from damage.
package struct Snapshot: Sendable, Equatable {
    package static let formatVersion: UInt32 = 1

    package struct Stream: Sendable, Equatable {
        package let name: String
        package let state: [UInt8]
        package init(name: String, state: [UInt8]) {
            self.name = name
            self.state = state
        }
    }

    package var engineVersion: UInt32
    /// `nil` while the partition never had a record.
    package var lineage: UInt64?
    /// Of the last record that is in the state; the fold goes on with the next.
    package var offset: Offset
    package var time: Timestamp
    package var stateHash: UInt64
    /// In the order of their names, each name once.
    package private(set) var streams: [Stream]
    /// What belongs to the shard and to no stream of it.
    package var shard: [UInt8]

    package init(
        engineVersion: UInt32, lineage: UInt64?, offset: Offset, time: Timestamp, stateHash: UInt64,
        streams: [Stream], shard: [UInt8] = []
    ) {
        self.engineVersion = engineVersion
        self.lineage = lineage
        self.offset = offset
        self.time = time
        self.stateHash = stateHash
        self.streams = streams.sorted { $0.name < $1.name }
        self.shard = shard
        precondition(
            zip(self.streams, self.streams.dropFirst()).allSatisfy { $0.name < $1.name },
            "a stream has two states: \(self.streams.map(\.name))")
    }

    /// What a snapshot must be to be of use here.
    package struct Expectation: Sendable, Equatable {
        package var engineVersion: UInt32
        /// Of the log as it is now.
        package var lineage: UInt64?
        /// The log has lost its first record and nobody has said yet what its lineage is: the snapshot will.
        package var isLineageUnknown = false

        package init(engineVersion: UInt32, lineage: UInt64?, isLineageUnknown: Bool = false) {
            self.engineVersion = engineVersion
            self.lineage = lineage
            self.isLineageUnknown = isLineageUnknown
        }
    }
}

// MARK: Format

extension Snapshot {
    private static let magic = Array("SLIPSNAP".utf8)
    /// magic, format version, length, check.
    private static let headBytes = 8 + 4 + 8 + 4
    private static let checkBytes = 4

    package func encode() -> [UInt8] {
        var content = BinaryWriter(reserving: 128 + shard.count + streams.reduce(0) { $0 + $1.state.count + 64 })
        content.write(engineVersion)
        content.write(lineage) { $0.write($1) }
        content.write(offset.value)
        content.write(time)
        content.write(stateHash)
        content.write(shard)
        content.write(UInt32(streams.count))
        for stream in streams {
            content.write(stream.name)
            content.write(stream.state)
        }
        let length = Snapshot.headBytes + content.bytes.count + Snapshot.checkBytes
        var writer = BinaryWriter(reserving: length)
        writer.writeRaw(Snapshot.magic)
        writer.write(Snapshot.formatVersion)
        writer.write(UInt64(length))
        writer.write(CRC32C.checksum(writer.bytes))
        writer.writeRaw(content.bytes)
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// Reads what `encode` wrote and says whether it can be used.
    package static func decode(
        _ bytes: [UInt8], expecting expectation: Expectation
    ) throws(SnapshotError) -> Snapshot {
        let snapshot = try decode(bytes)
        guard snapshot.engineVersion == expectation.engineVersion else {
            throw .engineVersionMismatch(found: snapshot.engineVersion, expected: expectation.engineVersion)
        }
        guard expectation.isLineageUnknown || snapshot.lineage == expectation.lineage else {
            throw .wrongLineage(found: snapshot.lineage, expected: expectation.lineage)
        }
        return snapshot
    }

    /// Of which engine and log it is, without a look at the rest.
    package static func identity(of bytes: [UInt8]) throws(SnapshotError) -> Expectation {
        do throws(BinaryError) {
            var reader = BinaryReader(bytes.dropFirst(headBytes))
            return Expectation(
                engineVersion: try reader.read(),
                lineage: try reader.readOptional { (reader) throws(BinaryError) in try reader.read() })
        } catch { throw .corrupt(reason: "\(error)") }
    }

    /// Reads what `encode` wrote; whether it fits this log and these engines is left to the caller.
    package static func decode(_ bytes: [UInt8]) throws(SnapshotError) -> Snapshot {
        try checkHead(bytes)
        let end = bytes.count - checkBytes
        guard bytes.suffix(checkBytes).elementsEqual(littleEndian(CRC32C.checksum(bytes[..<end]))) else {
            throw .corrupt(reason: "its check sum fails")
        }
        do throws(BinaryError) {
            return try Snapshot(content: bytes[headBytes..<end])
        } catch {
            throw .corrupt(reason: "its check sum holds, but \(error)")
        }
    }

    private static func checkHead(_ bytes: [UInt8]) throws(SnapshotError) {
        guard bytes.count >= headBytes + checkBytes else {
            throw .torn(length: bytes.count, expected: headBytes + checkBytes)
        }
        let checked = headBytes - 4
        guard bytes.starts(with: magic) else { throw .corrupt(reason: "it does not begin like a snapshot") }
        guard bytes[checked..<headBytes].elementsEqual(littleEndian(CRC32C.checksum(bytes[..<checked]))) else {
            throw .corrupt(reason: "the check sum of its head fails")
        }
        let format: UInt32 = number(bytes[8..<12])
        guard format <= formatVersion else { throw .newerFormat(found: format, known: formatVersion) }
        guard format == formatVersion else { throw .corrupt(reason: "there is no format \(format)") }
        let length: UInt64 = number(bytes[12..<20])
        guard bytes.count >= length else { throw .torn(length: bytes.count, expected: Int(clamping: length)) }
        guard bytes.count == length else { throw .corrupt(reason: "\(bytes.count) bytes instead of \(length)") }
    }

    private init(content: ArraySlice<UInt8>) throws(BinaryError) {
        var reader = BinaryReader(content)
        engineVersion = try reader.read()
        lineage = try reader.readOptional { (reader) throws(BinaryError) in try reader.read() }
        offset = Offset(try reader.read())
        time = try reader.readTimestamp()
        stateHash = try reader.read()
        shard = Array(try reader.readBytes())
        let count: UInt32 = try reader.read()
        streams = []
        for _ in 0..<count {
            let name = try reader.readString()
            if let last = streams.last, last.name >= name { throw .invalid(what: "order of streams", value: name) }
            streams.append(Stream(name: name, state: Array(try reader.readBytes())))
        }
        guard reader.remaining == 0 else { throw .invalid(what: "rest", value: "\(reader.remaining) bytes") }
    }
}

private func littleEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

private func number<Integer: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> Integer {
    bytes.reversed().reduce(0) { $0 << 8 | Integer(truncatingIfNeeded: $1) }
}
