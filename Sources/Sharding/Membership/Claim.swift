/// What somebody says about a node's life. Claims about one node are ordered and the larger wins, so gossip may arrive late,
/// twice or out of order.
///
/// Source: SWIM (Das, Gupta, Motivala, 2002), section 4.2. Unlike the paper a higher incarnation supersedes `dead` and
/// `left` too: a restarted node comes back under its id.
package struct Claim: Equatable, Sendable {
    package enum Status: UInt8, Comparable, Sendable, CaseIterable {
        case alive
        /// Does not answer; has the suspicion timeout to say otherwise.
        case suspect
        case dead
        /// Said goodbye.
        case left

        package static func < (left: Status, right: Status) -> Bool { left.rawValue < right.rawValue }
    }

    package let node: NodeID
    package let incarnation: Stamp
    package let status: Status
    package let address: PeerAddress
    /// Who found a suspect silent: independent accusers make a suspicion certain sooner.
    package let accuser: NodeID?

    package init(
        _ node: NodeID, _ status: Status, _ incarnation: Stamp, at address: PeerAddress, accuser: NodeID? = nil
    ) {
        self.node = node
        self.status = status
        self.incarnation = incarnation
        self.address = address
        self.accuser = status == .suspect ? accuser : nil
    }

    package func marked(_ status: Status, by accuser: NodeID? = nil) -> Claim {
        Claim(node, status, incarnation, at: address, accuser: accuser)
    }
    func supersedes(_ other: Claim) -> Bool { (incarnation, status) > (other.incarnation, other.status) }
}

extension WireWriter {
    mutating func write(_ claim: Claim) {
        write(claim.status.rawValue | (claim.accuser == nil ? 0 : 0x80))
        write(claim.node)
        write(claim.incarnation)
        write(claim.address)
        if let accuser = claim.accuser { write(accuser) }
    }
}

extension WireReader {
    mutating func readClaim() throws(WireError) -> Claim {
        let byte: UInt8 = try read()
        guard let status = Claim.Status(rawValue: byte & 0x7F), byte < 0x80 || status == .suspect else {
            throw .invalid(what: "status", value: "\(byte)")
        }
        let (node, incarnation, address) = (try readNode(), try readStamp(), try readAddress())
        return Claim(node, status, incarnation, at: address, accuser: byte < 0x80 ? nil : try readNode())
    }
}
