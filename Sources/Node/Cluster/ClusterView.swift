import struct Sharding.NodeID

/// Which nodes there are and which shards they have live, as gossip tells.
struct ClusterView: Sendable, Equatable {
    /// What peers reach a node by, `http://host:port`. This node is not among them.
    var urls: [NodeID: String] = [:]
    /// Per shard: the nodes that have it live, the leader first.
    var live: [[NodeID]] = []

    func live(_ shard: Int) -> [NodeID] { live.indices.contains(shard) ? live[shard] : [] }
}
