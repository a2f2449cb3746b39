import Sharding
import Simulation
import Testing

/// Nodes that decide each for itself by `Placement`, in any order, from views that lag behind.
@Suite struct HandoverSimulation {
    private struct Cluster {
        let shardCount = 24
        let replicas = 2
        var nodes: [LiveNode]
        /// What each node believes the others said: copies of different age.
        var views: [NodeID: [NodeID: LiveNode]] = [:]
        var starts = 0

        mutating func step(using random: inout SeededRandom) {
            guard let place = nodes.indices.randomElement(using: &random) else { return }
            let id = nodes[place].id
            for other in nodes where Bool.random(using: &random) { views[id, default: [:]][other.id] = other }
            views[id, default: [:]][id] = nodes[place]
            let known = (views[id] ?? [:]).values.sorted { $0.id < $1.id }
            let assignment = Assignment(known, shardCount: shardCount, replicas: replicas)
            let decision = Placement(of: id, assignment: assignment, map: ShardMap(known, shardCount: shardCount))
            carryOut(decision, on: place, using: &random)
        }

        private mutating func carryOut(_ decision: Placement, on place: Int, using random: inout SeededRandom) {
            starts += decision.start.count
            var reports = Dictionary(uniqueKeysWithValues: nodes[place].table.shards.map { ($0.shard, $0) })
            for shard in decision.stop { reports[shard] = nil }
            for shard in decision.keep { reports[shard]?.isLeaving = false }
            for shard in decision.handOver { reports[shard]?.isLeaving = true }
            for shard in decision.start { reports[shard] = ShardReport(shard, .restoring) }
            for shard in reports.keys.sorted() where Bool.random(using: &random) { reports[shard]?.phase = .live }
            nodes[place].table.shards = reports.values.sorted { $0.shard < $1.shard }
        }

        var fewestLive: Int {
            let map = ShardMap(nodes, shardCount: shardCount)
            return (0..<shardCount).map { map.serving(ShardID($0)).count }.min() ?? 0
        }
        var isSettled: Bool {
            let assignment = Assignment(nodes, shardCount: shardCount, replicas: replicas)
            let map = ShardMap(nodes, shardCount: shardCount)
            return (0..<shardCount).map(ShardID.init).allSatisfy { shard in
                map.serving(shard).map(\.node) == assignment.replicas(of: shard)
            }
        }
        mutating func settle(using random: inout SeededRandom) -> Int {
            var fewest = Int.max
            for _ in 0..<400 where !isSettled {
                step(using: &random)
                fewest = min(fewest, fewestLive)
            }
            return fewest
        }
    }

    @Test(arguments: Seeds.first(20))
    func `while nodes join and drain every shard keeps two live replicas, and only what must moves`(seed: UInt64) throws
    {
        var random = SeededRandom(seed: seed)
        var cluster = Cluster(nodes: try (1...3).map { LiveNode(try node("node-\($0)"), table: NodeTable()) })
        _ = cluster.settle(using: &random)
        #expect(cluster.isSettled)

        // Open: some seeds start shards that need not move, and a few have one live replica for a moment (issue 3).
        withKnownIssue(isIntermittent: true) {
            cluster.starts = 0
            cluster.nodes.append(LiveNode(try node("node-4"), table: NodeTable()))
            #expect(cluster.settle(using: &random) >= 2)
            #expect(cluster.isSettled)
            #expect(cluster.starts == 12)

            cluster.starts = 0
            let held = cluster.nodes[1].table.shards.count
            cluster.nodes[1].table.isDraining = true
            #expect(cluster.settle(using: &random) >= 2)
            #expect(cluster.isSettled)
            #expect(cluster.nodes[1].table.shards.isEmpty)
            #expect((held...held + 4).contains(cluster.starts))
        }
    }
}
