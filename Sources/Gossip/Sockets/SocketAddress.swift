import Glibc
import struct Sharding.PeerAddress

/// `PeerAddress` as the system's calls want and give it.
extension PeerAddress {
    /// - Parameter family: of the socket. One for IPv6 takes IPv4 addresses too, mapped.
    /// - Returns: `nil` where a socket for IPv4 cannot reach the address.
    func withSocketAddress<Value>(
        _ family: Int32, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value? {
        guard family == AF_INET else { return pass(socketAddress6, body) }
        guard let ipv4 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = ipv4.bigEndian
        return pass(address, body)
    }

    private var socketAddress6: sockaddr_in6 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) {
            $0.storeBytes(of: high.bigEndian, as: UInt64.self)
            $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return address
    }

    private func pass<Raw, Value>(_ raw: Raw, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        withUnsafePointer(to: raw) { raw in
            raw.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Raw>.size)) }
        }
    }

    /// - Returns: `nil` for a family that is neither IPv4 nor IPv6.
    init?(_ raw: UnsafePointer<sockaddr>) {
        switch Int32(raw.pointee.sa_family) {
        case AF_INET:
            self = raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                PeerAddress(
                    ipv4: UInt32(bigEndian: $0.pointee.sin_addr.s_addr), port: UInt16(bigEndian: $0.pointee.sin_port))
            }
        case AF_INET6:
            self = raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { raw in
                withUnsafeBytes(of: raw.pointee.sin6_addr) {
                    PeerAddress(
                        high: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                        low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                        port: UInt16(bigEndian: raw.pointee.sin6_port))
                }
            }
        default: return nil
        }
    }

    /// Runs a system call that fills in an address.
    static func filled<Value>(
        _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Value
    ) -> (value: Value, address: PeerAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                let value = body(raw, &length)
                return (value, PeerAddress(raw))
            }
        }
    }

    func with(port: UInt16) -> PeerAddress { PeerAddress(high: high, low: low, port: port) }
    /// 0.0.0.0 or ::
    var isUnspecified: Bool { ipv4 == 0 || high == 0 && low == 0 }
}
