import Testing

@testable import Gossip

struct FrameAssemblerTests {
    @Test(arguments: [1, 2, 3, 5, 64])
    func `frames come out whole however the bytes come in`(chunk: Int) throws {
        let frames: [[UInt8]] = [[], [1], Array(repeating: 7, count: 300), [2, 3]]
        let bytes = frames.flatMap { FrameAssembler.head(of: $0) + $0 }
        var assembler = FrameAssembler()
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            bytes[start..<min(bytes.count, start + chunk)].withUnsafeBytes { assembler.append($0) }
            while let frame = try assembler.next() { found.append(frame) }
        }
        #expect(found == frames)
        #expect(assembler.bufferedCount == 0)
    }

    @Test func `a length over the limit is refused before anything is kept for it`() {
        var assembler = FrameAssembler()
        let head: [UInt8] = [0x7F, 0xFF, 0xFF, 0xFF]
        head.withUnsafeBytes { assembler.append($0) }
        #expect(throws: FrameAssembler.TooLong(announced: 0x7FFF_FFFF)) { try assembler.next() }
    }
}
