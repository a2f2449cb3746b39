/// Where a node is heard: an IP address and a port, the same number for UDP and TCP. Not who it is: that is its `NodeID`.
package struct PeerAddress: Hashable, Sendable, CustomStringConvertible {
    /// As in IPv6, in host order; IPv4 is mapped (`::ffff:0:0/96`).
    package let high: UInt64
    package let low: UInt64
    package let port: UInt16

    package init(high: UInt64, low: UInt64, port: UInt16) {
        self.high = high
        self.low = low
        self.port = port
    }

    /// - Parameter ipv4: in host order: 127.0.0.1 is 0x7F000001.
    package init(ipv4: UInt32, port: UInt16) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(ipv4), port: port)
    }

    package var ipv4: UInt32? {
        high == 0 && low >> 32 == 0xFFFF ? UInt32(truncatingIfNeeded: low) : nil
    }

    package var description: String {
        if let ipv4 { return [24, 16, 8, 0].map { "\(ipv4 >> $0 & 0xFF)" }.joined(separator: ".") + ":\(port)" }
        let groups = [high, low].flatMap { half in
            [48, 32, 16, 0].map { String(half >> $0 & 0xFFFF, radix: 16) }
        }
        return "[\(groups.joined(separator: ":"))]:\(port)"
    }
}
