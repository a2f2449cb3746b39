/// Who holds each shard now, who serves it and who leads it, by what the nodes themselves report.
package struct ShardMap: Equatable, Sendable {
    package struct Replica: Equatable, Sendable {
        package let node: NodeID
        package let report: ShardReport
        package let isSuspect: Bool
        /// Whether it answers for the shard: any live replica does.
        package var isLive: Bool { report.phase == .live }
    }

    /// By shard: its replicas in rendezvous order.
    private let replicas: [[Replica]]
    package var shardCount: Int { replicas.count }

    /// - Parameter nodes: each once.
    package init(_ nodes: [LiveNode], shardCount: Int) {
        var replicas = [[Replica]](repeating: [], count: shardCount)
        for node in nodes {
            for report in node.table.shards where report.shard.number < shardCount {
                replicas[report.shard.number].append(
                    Replica(node: node.id, report: report, isSuspect: node.isSuspect))
            }
        }
        for number in replicas.indices {
            let isBefore = Rendezvous.order(for: ShardID(number))
            replicas[number].sort { isBefore($0.node, $1.node) }
        }
        self.replicas = replicas
    }

    package subscript(shard: ShardID) -> [Replica] { shard.number < shardCount ? replicas[shard.number] : [] }

    /// Writes snapshots and outputs: the first live replica in rendezvous order. One that is about to leave, or is
    /// suspected, leads only when there is no other. Two that lead for a moment write the same, so nothing waits for agreement.
    package func leader(of shard: ShardID) -> NodeID? { serving(shard).first?.node }

    /// Live replicas, the leader first: the order in which to try them.
    package func serving(_ shard: ShardID) -> [Replica] {
        let live = self[shard].filter(\.isLive)
        let sure = live.filter { !$0.isSuspect }
        return sure.filter { !$0.report.isLeaving } + sure.filter(\.report.isLeaving) + live.filter(\.isSuspect)
    }
}
