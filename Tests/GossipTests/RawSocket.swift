import Glibc
import Sharding

@testable import Gossip

/// Someone who is no node.
struct RawSocket {
    let descriptor: Descriptor

    init(_ type: __socket_type, to address: PeerAddress) throws {
        descriptor = try Descriptor.socket(AF_INET, type)
        _ = fcntl(descriptor.number, F_SETFL, 0)
        let code = address.withSocketAddress(AF_INET) { connect(descriptor.number, $0, $1) }
        guard code == 0 else { throw GossipError.system(attempt: "connecting", reason: systemReason(errno)) }
    }

    func send(_ bytes: [UInt8]) {
        _ = Glibc.send(descriptor.number, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// All that comes until the other side ends the connection; `nil` when it does not within 10 s.
    func readToEnd() -> [UInt8]? {
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor.number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor.number, &buffer, buffer.count, 0)
            if count < 0 { return errno == ECONNRESET ? bytes : nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}
