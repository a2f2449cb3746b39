import Glibc

/// One kept-alive HTTP connection to loopback that blocks: a client that costs next to nothing, so that what is measured
/// is the node.
final class HTTPPipe {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw HTTPPipe.error("socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let error = HTTPPipe.error("connect")
            close(descriptor)
            throw error
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    struct Answer {
        let status: Int
        let body: [UInt8]
    }

    func get(_ path: String) throws -> Answer {
        try send(Array("GET \(path) HTTP/1.1\r\nhost: bench\r\n\r\n".utf8))
        return try receive()
    }

    /// A whole request, to be sent often.
    static func post(_ path: String, _ body: [UInt8]) -> [UInt8] {
        let head = "POST \(path) HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        return Array((head + "content-length: \(body.count)\r\n\r\n").utf8) + body
    }

    func exchange(_ request: [UInt8]) throws -> Answer {
        try send(request)
        return try receive()
    }

    func send(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = Glibc.send(descriptor, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { throw HTTPPipe.error("send") }
                rest = rest.dropFirst(count)
            }
        }
    }

    private func receive() throws -> Answer {
        while true {
            if let answer = try takeAnswer() { return answer }
            try receiveMore()
        }
    }

    private func takeAnswer() throws -> Answer? {
        let blankLine: [UInt8] = [13, 10, 13, 10]
        guard let end = buffer.indices.first(where: { buffer[$0...].starts(with: blankLine) }) else { return nil }
        let lines = String(decoding: buffer[..<end], as: UTF8.self).lowercased().split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count > 1, let status = Int(words[1]) else { throw BenchError("not an HTTP answer") }
        let length = lines.first { $0.hasPrefix("content-length: ") }.flatMap { Int($0.dropFirst(16)) } ?? 0
        guard buffer.count >= end + 4 + length else { return nil }
        defer { buffer.removeFirst(end + 4 + length) }
        return Answer(status: status, body: Array(buffer[(end + 4)..<(end + 4 + length)]))
    }

    private func receiveMore() throws {
        let count = withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
            let count = recv(descriptor, room.baseAddress, room.count, 0)
            if count > 0 { buffer.append(contentsOf: room[..<count]) }
            return count
        }
        guard count > 0 else { throw HTTPPipe.error("recv") }
    }

    private static func error(_ call: String) -> BenchError {
        BenchError("\(call): \(String(cString: strerror(errno)))")
    }
}
