import Glibc
import struct Sharding.PeerAddress

/// One port number, for UDP and TCP alike.
struct BoundSockets: Sendable {
    let family: Int32
    let datagrams: Descriptor
    let listener: Descriptor
    let address: PeerAddress

    /// - Parameter address: port 0 takes any that is free for both.
    init(_ address: PeerAddress) throws(GossipError) {
        family = address.ipv4 == nil ? AF_INET6 : AF_INET
        // The system finds a port that is free for TCP; it may be taken for UDP.
        for _ in 0..<(address.port == 0 ? 20 : 0) {
            if let bound = try? Self.bind(address, family) {
                (datagrams, listener, self.address) = bound
                return
            }
        }
        (datagrams, listener, self.address) = try Self.bind(address, family)
    }

    private static func bind(
        _ address: PeerAddress, _ family: Int32
    ) throws(GossipError) -> (datagrams: Descriptor, listener: Descriptor, PeerAddress) {
        let listener = try Descriptor.socket(family, SOCK_STREAM)
        // Connections of a former life that are still closing must not keep a restarted node from its port. Not for UDP,
        // where it would let two nodes share one.
        listener.set(SOL_SOCKET, SO_REUSEADDR, 1)
        try bind(listener, to: address, family)
        guard listen(listener.number, 64) == 0 else { throw refused(address) }
        let bound = address.with(port: listener.localAddress?.port ?? 0)
        let datagrams = try Descriptor.socket(family, SOCK_DGRAM)
        try bind(datagrams, to: bound, family)
        // A burst while the thread is busy or was not given the processor; the system may grant less.
        datagrams.set(SOL_SOCKET, SO_RCVBUF, 4 << 20)
        datagrams.set(SOL_SOCKET, SO_SNDBUF, 1 << 20)
        datagrams.set(family == AF_INET ? Int32(IPPROTO_IP) : Int32(IPPROTO_IPV6), receiveErrors(family), 1)
        return (datagrams, listener, bound)
    }

    private static func bind(_ socket: Descriptor, to address: PeerAddress, _ family: Int32) throws(GossipError) {
        if family == AF_INET6 { socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        let code = address.withSocketAddress(family) { Glibc.bind(socket.number, $0, $1) }
        guard code == 0 else { throw refused(address) }
    }

    private static func refused(_ address: PeerAddress) -> GossipError {
        switch errno {
        case EADDRINUSE: .addressInUse("\(address)")
        case EADDRNOTAVAIL: .foreignAddress("\(address)")
        case let code: .system(attempt: "listening on \(address) for gossip", reason: systemReason(code))
        }
    }

    /// Has the system queue the ICMP errors that its datagrams cause; see ip(7).
    private static func receiveErrors(_ family: Int32) -> Int32 { family == AF_INET ? IP_RECVERR : IPV6_RECVERR }
}

extension Descriptor {
    var localAddress: PeerAddress? {
        PeerAddress.filled { getsockname(number, $0, &$1) }.address
    }
}

extension PeerAddress {
    /// The address from which this machine reaches the rest of the world. Nothing is sent.
    static func outward(_ family: Int32) -> PeerAddress? {
        // Of the networks reserved for examples (RFC 5737, RFC 3849): only the way there is looked up.
        let far =
            family == AF_INET
            ? PeerAddress(ipv4: 0xC000_0201, port: 9) : PeerAddress(high: 0x2001_0DB8_0000_0000, low: 1, port: 9)
        guard let probe = try? Descriptor.socket(family, SOCK_DGRAM) else { return nil }
        guard far.withSocketAddress(family, { connect(probe.number, $0, $1) }) == 0 else { return nil }
        return probe.localAddress
    }
}
