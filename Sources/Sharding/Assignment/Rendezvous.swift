/// How much a node and a shard attract each other: a number that every node computes alike and that a change elsewhere in
/// the cluster does not touch.
///
/// Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates" (1998), highest random weight.
package enum Rendezvous {
    /// 63 bits, evenly spread.
    static func score(node: UInt64, shard: UInt64) -> UInt64 { StableMix.mix(node ^ shard) >> 1 }
    static func hash(of node: NodeID) -> UInt64 { StableMix.hash(node.name) }
    static func hash(of shard: Int) -> UInt64 { StableMix.mix(UInt64(shard)) }

    /// The order in which `nodes` come to lead `shard`.
    package static func order(_ nodes: some Sequence<NodeID>, for shard: ShardID) -> [NodeID] {
        let shard = hash(of: shard.number)
        return nodes.map { (id: $0, score: score(node: hash(of: $0), shard: shard)) }
            .sorted { $0.score == $1.score ? $0.id < $1.id : $0.score > $1.score }
            .map(\.id)
    }
}
