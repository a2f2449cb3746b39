import enum Sharding.PeerFrame

/// Cuts a byte stream into frames: length (4 bytes, big endian), then that many bytes. Pure.
struct FrameAssembler {
    /// The other side announced more than any frame has: it is no node of ours, or a broken one.
    struct TooLong: Error, Equatable { let announced: Int }

    static let bytesMax = PeerFrame.bytesMax + Seal.overhead
    private static let headBytes = 4

    private var bytes: [UInt8] = []
    private var start = 0

    /// Waiting for the rest of their frame.
    var bufferedCount: Int { bytes.count - start }

    static func head(of frame: [UInt8]) -> [UInt8] {
        (0..<headBytes).map { UInt8(truncatingIfNeeded: frame.count >> (8 * (headBytes - 1 - $0))) }
    }

    mutating func append(_ chunk: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: chunk)
    }

    /// - Returns: `nil` until a whole frame is there.
    mutating func next() throws(TooLong) -> [UInt8]? {
        guard bufferedCount >= Self.headBytes else { return nil }
        let body = start + Self.headBytes
        let count = bytes[start..<body].reduce(0) { $0 << 8 | Int($1) }
        guard count <= Self.bytesMax else { throw TooLong(announced: count) }
        guard bytes.count >= body + count else { return nil }
        let frame = Array(bytes[body..<body + count])
        start = body + count
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: false)
            start = 0
        }
        return frame
    }
}
