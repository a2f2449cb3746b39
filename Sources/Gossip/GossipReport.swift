import struct Sharding.Membership
import struct Sharding.PeerAddress

/// Something for the log: what happened, and what to do about it.
package enum GossipReport: Sendable, Equatable, CustomStringConvertible {
    case membership(Membership.Report)
    /// A name of `--join` or `--join-dns`. It is looked up again while this node is alone.
    case unresolved(name: String, reason: String)
    /// Nobody answers there. It is tried again while this node is alone.
    case seedFailed(PeerAddress, reason: String)
    /// What this node has to say does not fit in one frame; it was not said.
    case frameTooLong(bytes: Int)

    package var description: String {
        switch self {
        case .membership(let report): Self.describe(report)
        case .unresolved(let name, let reason): "\(name) has no address yet (\(reason)); looking again"
        case .seedFailed(let address, let reason): "no node answers at \(address) (\(reason)); trying again"
        case .frameTooLong(let bytes): "a frame of \(bytes) bytes is too long to send; publish smaller tables"
        }
    }

    private static func describe(_ report: Membership.Report) -> String {
        switch report {
        case .refused(let address, let refusal): "refused by \(address): \(refusal)"
        case .refusing(let node, let address, let refusal):
            "refusing \(node.map { "\($0) at " } ?? "")\(address): \(refusal)"
        case .malformed(let address, let error): "\(address) sent what no node says: \(error)"
        case .foreign(let node, let address):
            "\(node) at \(address) belongs to a cluster with other settings; it should not know this node"
        case .clash(let address): "another process at \(address) has this node's id; stop one of the two"
        case .refuted(let status): "others took this node for \(status); denied"
        case .paused(let duration): "this node stood still for \(duration); it accuses nobody meanwhile"
        }
    }
}
