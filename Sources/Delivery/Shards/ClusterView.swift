import struct Sharding.NodeID

/// Which nodes there are and which shards they have live, as gossip tells.
package struct ClusterView: Sendable, Equatable {
    /// What peers reach a node by, `http://host:port`. This node is not among them.
    package var urls: [NodeID: String] = [:]
    /// Per shard: the nodes that have it live, the leader first.
    package var live: [[NodeID]] = []

    package init(urls: [NodeID: String] = [:], live: [[NodeID]] = []) {
        self.urls = urls
        self.live = live
    }

    package func live(_ shard: Int) -> [NodeID] { live.indices.contains(shard) ? live[shard] : [] }
}
