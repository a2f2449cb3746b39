import struct Sharding.NodeID

/// Which nodes there are and which shards they have live, as gossip tells.
package struct ClusterView: Sendable, Equatable {
    /// What peers reach a node by, `http://host:port`. This node is not among them.
    package var urls: [NodeID: String] = [:]
    /// Per shard: the nodes that have it live, the leader first.
    package var live: [[NodeID]] = []

    /// Shards that this node hosts and has not live yet.
    package var starting: Set<Int> = []

    /// Shards in which this node stands still while others go on: the log does not answer it.
    package var standing: Set<Int> = []

    /// Shards that this node has live and is about to give up, while another has them live and stays.
    package var leaving: Set<Int> = []

    package init(
        urls: [NodeID: String] = [:], live: [[NodeID]] = [], starting: Set<Int> = [], leaving: Set<Int> = []
    ) {
        self.urls = urls
        self.live = live
        self.starting = starting
        self.leaving = leaving
    }

    package func live(_ shard: Int) -> [NodeID] { live.indices.contains(shard) ? live[shard] : [] }
}
