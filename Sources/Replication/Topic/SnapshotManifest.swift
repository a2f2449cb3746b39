import Telemetry

/// Says which records of a topic together are a snapshot. It is written last: without it there is none.
///
/// Layout, little-endian: magic, format version, the fields, CRC-32C of everything before.
package struct SnapshotManifest: Equatable, Sendable {
    package static let formatVersion: UInt32 = 1

    /// Of the telemetry log, as in the snapshot.
    package var offset: Offset
    /// Stands in each chunk as well: another's chunk under the same key is told by it.
    package var generation: UInt64
    /// Bytes of the whole, and their check.
    package var length: UInt64
    package var check: UInt32
    package var engineVersion: UInt32
    package var lineage: UInt64?
    /// Where the chunks are, in the partition that holds the manifest.
    package var chunks: [Offset]

    package init(of bytes: [UInt8], offset: Offset, generation: UInt64, engineVersion: UInt32, lineage: UInt64?) {
        self.offset = offset
        self.generation = generation
        self.engineVersion = engineVersion
        self.lineage = lineage
        length = UInt64(bytes.count)
        check = CRC32C.checksum(bytes)
        chunks = []
    }

    private static let magic = Array("SLIPMANI".utf8)

    package func encode() -> [UInt8] {
        var writer = BinaryWriter()
        writer.writeRaw(SnapshotManifest.magic)
        writer.write(SnapshotManifest.formatVersion)
        writer.write(offset.value)
        writer.write(generation)
        writer.write(length)
        writer.write(check)
        writer.write(engineVersion)
        writer.write(lineage) { $0.write($1) }
        writer.write(UInt32(chunks.count))
        for chunk in chunks { writer.write(chunk.value) }
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// - Throws: `.corrupt` or `.newerFormat`.
    package init(_ bytes: [UInt8]) throws(SnapshotError) {
        guard bytes.count > 16, bytes.starts(with: SnapshotManifest.magic) else {
            throw .corrupt(reason: "its manifest does not begin like one")
        }
        do throws(BinaryError) {
            var end = BinaryReader(bytes.suffix(4))
            let check: UInt32 = try end.read()
            guard check == CRC32C.checksum(bytes.dropLast(4)) else {
                throw .invalid(what: "check sum", value: "\(check)")
            }
            var reader = BinaryReader(bytes.dropFirst(8).dropLast(4))
            let format: UInt32 = try reader.read()
            guard format == SnapshotManifest.formatVersion else { throw .invalid(what: "format", value: "\(format)") }
            offset = Offset(try reader.read())
            generation = try reader.read()
            length = try reader.read()
            self.check = try reader.read()
            engineVersion = try reader.read()
            lineage = try reader.readOptional { (reader) throws(BinaryError) in try reader.read() }
            let count: UInt32 = try reader.read()
            chunks = []
            for _ in 0..<count { chunks.append(Offset(try reader.read())) }
        } catch { throw .corrupt(reason: "its manifest: \(error)") }
    }
}
