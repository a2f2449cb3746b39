/// How much a node and a shard attract each other: a number that every node computes alike and that a change elsewhere in
/// the cluster does not touch.
///
/// Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998), highest random weight.
package enum Rendezvous {
    /// 63 bits, evenly spread.
    static func score(node: UInt64, shard: UInt64) -> UInt64 { StableMix.mix(node ^ shard) >> 1 }
    static func hash(of shard: Int) -> UInt64 { StableMix.mix(UInt64(shard)) }

    /// The order in which nodes come to lead `shard`.
    static func order(for shard: ShardID) -> (NodeID, NodeID) -> Bool {
        let shard = hash(of: shard.number)
        return { left, right in
            let scores = (score(node: left.hash, shard: shard), score(node: right.hash, shard: shard))
            return scores.0 == scores.1 ? left < right : scores.0 > scores.1
        }
    }

    package static func order(_ nodes: some Sequence<NodeID>, for shard: ShardID) -> [NodeID] {
        nodes.sorted(by: order(for: shard))
    }
}
