import struct Sharding.Membership
import struct Sharding.PeerAddress

/// Lets each report through once in a while: one bad node repeats itself many times a second. What is of one kind and about
/// one peer counts as the same; many peers of one kind, whose addresses may be made up, keep no other kind from being told.
struct ReportGate {
    static let silence = Duration.seconds(10)
    /// Of one kind, within `silence`.
    static let peersMax = 16

    private enum Kind: Hashable {
        case unresolved, seedFailed, frameTooLong, refused, refusing, malformed, foreign, clash, paused
        case refuted(UInt8)
    }
    /// By kind, then by whom it is about.
    private var recent: [Kind: [String: Duration]] = [:]

    mutating func admits(_ report: GossipReport, at now: Duration) -> Bool {
        let (kind, peer) = Self.subject(of: report)
        var peers = recent[kind, default: [:]]
        if peers[peer] != nil || peers.count >= Self.peersMax {
            peers = peers.filter { now - $0.value < Self.silence }
        }
        let isAdmitted = peers[peer] == nil && peers.count < Self.peersMax
        if isAdmitted { peers[peer] = now }
        recent[kind] = peers
        return isAdmitted
    }

    private static func subject(of report: GossipReport) -> (Kind, peer: String) {
        switch report {
        case .unresolved(let name, _): (.unresolved, name)
        case .seedFailed(let address, _): (.seedFailed, "\(address)")
        case .frameTooLong: (.frameTooLong, "")
        case .membership(let report): subject(of: report)
        }
    }

    private static func subject(of report: Membership.Report) -> (Kind, peer: String) {
        switch report {
        case .refused(let address, _): (.refused, "\(address)")
        case .refusing(let node, let address, _): (.refusing, node.map { "\($0)" } ?? machine(address))
        case .malformed(let address, _): (.malformed, machine(address))
        case .foreign(_, let address): (.foreign, machine(address))
        case .clash(let address): (.clash, "\(address)")
        case .refuted(let status): (.refuted(status.rawValue), "")
        case .paused: (.paused, "")
        }
    }

    /// Without the port: whoever is no node may come from another with each packet.
    private static func machine(_ address: PeerAddress) -> String {
        "\(PeerAddress(high: address.high, low: address.low, port: 0))"
    }
}
