/// One direction of a connection: messages as a stream of bytes, which may break anywhere.
struct Pipe {
    private var bytes: [UInt8] = []
    private var moved: [UInt8] = []

    var count: Int { bytes.count }

    mutating func write(_ message: [UInt8]) {
        withUnsafeBytes(of: UInt32(message.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: message)
    }

    /// Moves some bytes to the other end.
    /// - Returns: the messages that are complete there now.
    mutating func move(_ count: Int) -> [[UInt8]] {
        moved.append(contentsOf: bytes.prefix(count))
        bytes.removeFirst(min(count, bytes.count))
        var messages: [[UInt8]] = []
        while moved.count >= 4 {
            let length = moved.withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) }
            guard moved.count >= 4 + length else { break }
            messages.append(Array(moved[4..<4 + length]))
            moved.removeFirst(4 + length)
        }
        return messages
    }

    /// Everything behind the first `count` bytes is lost.
    mutating func cut(after count: Int) { bytes.removeSubrange(min(count, bytes.count)...) }
}
