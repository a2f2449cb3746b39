/// A node believed alive and what it said last. The shell keeps one for each alive or suspect member whose table it could
/// read, and computes `ShardMap`, `Assignment` and `Placement` from all of them whenever one changes.
package struct LiveNode: Equatable, Sendable {
    package let id: NodeID
    package var isSuspect: Bool
    package var table: NodeTable

    package init(_ id: NodeID, isSuspect: Bool = false, table: NodeTable) {
        self.id = id
        self.isSuspect = isSuspect
        self.table = table
    }

    /// - Throws: when its table is malformed, or not here yet (it is empty then).
    package init(_ member: Membership.Member) throws(WireError) {
        self.init(member.id, isSuspect: member.status == .suspect, table: try NodeTable(member.table))
    }
}

extension Assignment {
    /// What the shards' places should be, as far as these nodes know. Suspects count, for moving is dearer than waiting;
    /// what is leaving or replaced does not, and a node that drains takes nothing.
    package init(_ nodes: [LiveNode], shardCount: Int, replicas: Int) {
        self.init(Grounds(nodes, ShardMap(nodes, shardCount: shardCount)), replicas: replicas)
    }

    init(_ grounds: Grounds, replicas: Int) {
        self.init(
            members: grounds.members, shardCount: grounds.holders.count, replicas: replicas, holders: grounds.holders,
            leavers: grounds.leavers)
    }

    /// All that an assignment looks at: as long as it stays, so does the assignment.
    struct Grounds: Equatable, Sendable {
        fileprivate let members: [Member]
        fileprivate let holders: [[NodeID]]
        fileprivate let leavers: [[NodeID]]

        /// - Parameter map: of the same nodes.
        init(_ nodes: [LiveNode], _ map: ShardMap) {
            var holders = [[NodeID]](repeating: [], count: map.shardCount)
            var leavers = holders
            for number in holders.indices {
                let held = map[ShardID(number)]
                let replaced = Set(held.compactMap(\.report.replaces))
                for replica in held {
                    let goes = replica.report.isLeaving || !replaced.isEmpty && replaced.contains(replica.node.mark)
                    if goes { leavers[number].append(replica.node) } else { holders[number].append(replica.node) }
                }
            }
            (self.holders, self.leavers) = (holders, leavers)
            members = nodes.map {
                Member($0.id, zone: $0.table.zone, weight: $0.table.isDraining ? 0 : $0.table.weight)
            }
        }
    }
}
