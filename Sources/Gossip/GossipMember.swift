import struct Sharding.Claim
import struct Sharding.Membership
import struct Sharding.NodeID
import struct Sharding.NodeTable
import struct Sharding.PeerAddress
import struct Sharding.Stamp

/// What this node believes of one node.
package struct GossipMember: Sendable, Equatable {
    package let id: NodeID
    package let status: Claim.Status
    package let incarnation: Stamp
    package let address: PeerAddress
    /// When it came to have its status: time since gossip started here.
    package let since: Duration
    package let tableVersion: Stamp
    /// `nil` while it is not known, or cannot be read (of a newer program). What a node said in a former life is not
    /// known of this one: it has none of the shards it had.
    package let table: NodeTable?

    /// Alive or suspect: a suspect is counted in until it is certain.
    package var isPresent: Bool { status <= .suspect }
}

/// Tables as read, so that each version is read once and not with every change.
struct TableCache {
    private var tables: [NodeID: (version: Stamp, table: NodeTable?)] = [:]
    /// Versions that were there when their nodes were believed dead. Who comes back after that, be it that it only stood
    /// still, may no longer be where its table says: it has to speak again.
    private var buried: [NodeID: Stamp] = [:]

    mutating func members(of membership: Membership) -> [GossipMember] {
        var kept: [NodeID: (version: Stamp, table: NodeTable?)] = [:]
        let members = membership.members.map { member in
            var entry = tables[member.id]
            if entry?.version != member.tableVersion {
                entry = (member.tableVersion, member.table.isEmpty ? nil : try? NodeTable(member.table))
            }
            kept[member.id] = entry
            if member.status > .suspect { buried[member.id] = member.tableVersion }
            let isOfThisLife =
                member.tableVersion.boot >= member.incarnation.boot
                && buried[member.id].map { member.tableVersion > $0 } ?? true
            return GossipMember(
                id: member.id, status: member.status, incarnation: member.incarnation, address: member.address,
                since: member.since, tableVersion: member.tableVersion,
                table: isOfThisLife ? entry?.table : nil)
        }
        tables = kept
        buried = buried.filter { kept[$0.key] != nil }
        return members
    }
}
