import Glibc

/// A plain TCP connection to loopback, for saying things no proper client says. Reads give up at a deadline.
final class RawConnection {
    private let fd: Int32
    private var received: [UInt8] = []

    init(port: Int, host: String = "127.0.0.1", deadlineSeconds: Int = 10) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        var limit = timeval(tv_sec: deadlineSeconds, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard outcome == 0 else { throw Failure(text: String(cString: strerror(errno))) }
    }

    deinit { close(fd) }

    /// Closes for good, both ways.
    func hangUp() { shutdown(fd, Int32(SHUT_RDWR)) }

    /// Reads up to 1 MB of what has arrived, without waiting, and forgets it.
    func discardWhatIsThere() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 16) { buffer in
            _ = recv(fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
        }
    }

    /// Whether the peer has closed, without waiting for it.
    func peekEnd() -> Bool {
        var byte: UInt8 = 0
        let count = recv(fd, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || (count < 0 && errno != EAGAIN)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(fd, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// The next `count` bytes, or fewer when the connection ends or the deadline passes before.
    func read(_ count: Int) -> [UInt8] {
        while received.count < count, receive() {}
        let result = Array(received.prefix(count))
        received.removeFirst(result.count)
        return result
    }

    /// Everything until the peer closes; nothing when it has not closed by the deadline.
    func readToEnd() -> String? {
        while receive() {}
        return hasEnded ? String(decoding: received, as: UTF8.self) : nil
    }

    /// Status line, headers and a body of `content-length` bytes.
    func readResponse(withBody: Bool = true) -> (head: String, body: String)? {
        var end = endOfHead()
        while end == nil, receive() { end = endOfHead() }
        guard let end else { return nil }
        let head = String(decoding: read(end), as: UTF8.self)
        let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        let length = line.flatMap { Int($0.drop { $0 != ":" }.dropFirst().trimmingPrefix(" ")) } ?? 0
        return (head, withBody ? String(decoding: read(length), as: UTF8.self) : "")
    }

    /// One server frame: its first byte (FIN and opcode) and its payload.
    func readFrame() -> (first: UInt8, payload: [UInt8])? {
        let start = read(2)
        guard start.count == 2 else { return nil }
        var length = Int(start[1])
        if length >= 126 { length = read(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
        return (start[0], read(length))
    }

    /// A masked client frame. The mask is fixed: it protects proxies, not us.
    func sendFrame(first: UInt8, _ payload: [UInt8]) {
        var frame: [UInt8] = [first]
        switch payload.count {
        case ..<126: frame.append(0x80 | UInt8(payload.count))
        case ..<65_536: frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xff)]
        default: frame += [0x80 | 127] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
        }
        let mask: [UInt8] = [1, 2, 3, 4]
        send(frame + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] })
    }

    /// Asks for a WebSocket; the answer's head.
    func upgrade(_ path: String) -> String? {
        send(
            "GET \(path) HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        return readResponse()?.head
    }

    private(set) var hasEnded = false

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(fd, &buffer, buffer.count, 0)
        hasEnded = count == 0 || (count < 0 && errno == ECONNRESET)
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }

    private func endOfHead() -> Int? {
        guard received.count >= 4 else { return nil }
        return (0...(received.count - 4)).first { received[$0..<($0 + 4)].elementsEqual([13, 10, 13, 10]) }.map {
            $0 + 4
        }
    }

    struct Failure: Error { let text: String }
}
