import Telemetry

/// A snapshot cut into records that any broker takes, and put together again.
package enum SnapshotChunks {
    /// Of a record's value. Brokers take 1,000,000 bytes unless they are told otherwise, with key and framing.
    package static let bytesMax = 900_000
    private static let magic = Array("SLIPPART".utf8)
    /// magic, generation, number.
    private static let headBytes = 8 + 8 + 4

    package static func cut(_ bytes: [UInt8], generation: UInt64, bytesMax: Int = bytesMax) -> [[UInt8]] {
        precondition(bytesMax > headBytes, "a chunk of \(bytesMax) bytes holds nothing")
        let payload = bytesMax - headBytes
        return stride(from: 0, to: max(1, bytes.count), by: payload).enumerated().map { number, start in
            let end = min(bytes.count, start + payload)
            var writer = BinaryWriter(reserving: headBytes + end - start)
            writer.writeRaw(magic)
            writer.write(generation)
            writer.write(UInt32(number))
            writer.writeRaw(bytes[start..<end])
            return writer.bytes
        }
    }

    /// - Parameter chunks: what stands at the manifest's offsets now; `nil` where nothing is left.
    /// - Throws: `.torn` when a chunk is gone or another's, `.corrupt` when the check fails.
    package static func join(_ chunks: [[UInt8]?], as manifest: SnapshotManifest) throws(SnapshotError) -> [UInt8] {
        var bytes: [UInt8] = []
        for (number, chunk) in chunks.enumerated() {
            guard let chunk, let payload = payload(of: chunk, manifest.generation, number) else {
                throw .torn(length: bytes.count, expected: Int(clamping: manifest.length))
            }
            bytes += payload
        }
        guard UInt64(bytes.count) == manifest.length else {
            throw .torn(length: bytes.count, expected: Int(clamping: manifest.length))
        }
        guard CRC32C.checksum(bytes) == manifest.check else {
            throw .corrupt(reason: "the check sum of its chunks fails")
        }
        return bytes
    }

    private static func payload(of chunk: [UInt8], _ generation: UInt64, _ number: Int) -> ArraySlice<UInt8>? {
        guard chunk.starts(with: magic) else { return nil }
        var reader = BinaryReader(chunk.dropFirst(magic.count))
        do throws(BinaryError) {
            let found: (UInt64, UInt32) = (try reader.read(), try reader.read())
            return found == (generation, UInt32(number)) ? chunk.dropFirst(headBytes) : nil
        } catch { return nil }  // Too short for a head.
    }
}
