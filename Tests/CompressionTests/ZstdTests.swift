import Compression
import Testing

@Suite struct ZstdTests {
    private let text = Array(String(repeating: "speed_kmh 123.4 accx_can 0.3 ", count: 400).utf8)

    @Test(arguments: [1, 3, 19])
    func `what is unpacked is what was packed, and packed it is smaller`(level: Int) throws {
        let packed = Zstd.compress(text, level: level)
        #expect(packed.count < text.count / 10)
        #expect(try Zstd.decompress(packed, limit: text.count) == text)
    }

    @Test func `nothing packs into something and back`() throws {
        #expect(try Zstd.decompress(Zstd.compress([]), limit: 0).isEmpty)
    }

    @Test func `content beyond the limit is refused before it takes memory`() {
        let packed = Zstd.compress(text)
        #expect(throws: ZstdError.tooLarge(size: UInt64(text.count), limit: 100)) {
            try Zstd.decompress(packed, limit: 100)
        }
    }

    @Test func `a frame that is cut off anywhere is an error`() {
        let packed = Zstd.compress(text)
        for length in 0..<packed.count {
            #expect(throws: ZstdError.self) { try Zstd.decompress(packed[..<length], limit: text.count) }
        }
    }

    @Test func `flipped bytes never crash and never give more than the limit`() {
        let packed = Zstd.compress(text)
        for index in packed.indices {
            var damaged = packed
            damaged[index] ^= 0xFF
            if let content = try? Zstd.decompress(damaged, limit: text.count) { #expect(content.count <= text.count) }
        }
    }

    @Test func `one compressor gives the same bytes each time`() {
        let compressor = Zstd.Compressor(level: 1)
        #expect(compressor.compress(text) == compressor.compress(text))
    }
}
