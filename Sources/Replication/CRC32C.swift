/// CRC-32C (Castagnoli), which guards stored rows and snapshots against flipped and missing bytes.
///
/// Source: RFC 3720, appendix B.4. Eight bytes a step with eight tables ("slicing by 8", Intel 2006).
package enum CRC32C {
    /// - Parameter start: the checksum of the bytes before, to go on from there.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing start: UInt32 = 0) -> UInt32 {
        var crc = ~start
        var index = 0
        tables.withUnsafeBufferPointer { tables in
            while index + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                crc = slice(word ^ UInt64(crc), tables)
                index += 8
            }
            while index < bytes.count {
                crc = (crc >> 8) ^ tables[Int((crc ^ UInt32(bytes[index])) & 255)]
                index += 1
            }
        }
        return ~crc
    }

    package static func checksum(_ bytes: some Sequence<UInt8>, continuing start: UInt32 = 0) -> UInt32 {
        if let crc = bytes.withContiguousStorageIfAvailable({
            checksum(UnsafeRawBufferPointer($0), continuing: start)
        }) {
            return crc
        }
        return Array(bytes).withUnsafeBytes { checksum($0, continuing: start) }
    }

    @inline(__always)
    private static func slice(_ word: UInt64, _ tables: UnsafeBufferPointer<UInt32>) -> UInt32 {
        var crc: UInt32 = 0
        for place in 0..<8 {
            let byte = Int((word >> UInt64(8 * place)) & 255)
            crc ^= tables[(7 - place) * 256 + byte]
        }
        return crc
    }

    /// Table k, entry b: the checksum of byte b followed by k zero bytes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<8 * 256 {
            let before = tables[index - 256]
            tables[index] = (before >> 8) ^ tables[Int(before & 255)]
        }
        return tables
    }()
}
