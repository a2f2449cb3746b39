import Replication
import Testing

/// Source: RFC 3720, appendix B.4; then the check value of the Castagnoli polynomial, and nothing at all.
private let known: [(bytes: [UInt8], expected: UInt32)] = [
    ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
    ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
    ([UInt8](0..<32), 0x46DD_794E),
    ([UInt8]((0..<32).reversed()), 0x113F_DB5C),
    ([UInt8]("123456789".utf8), 0xE306_9283),
    ([], 0),
]

@Suite struct CRC32CTests {
    @Test(arguments: known)
    func `the sums are those of the standard`(bytes: [UInt8], expected: UInt32) {
        #expect(CRC32C.checksum(bytes) == expected)
    }

    @Test func `a sum goes on from where it was left`() {
        let bytes = (0..<100).map { UInt8($0 * 37 & 255) }
        for cut in 0...100 {
            #expect(
                CRC32C.checksum(bytes[cut...], continuing: CRC32C.checksum(bytes[..<cut])) == CRC32C.checksum(bytes))
        }
    }
}
