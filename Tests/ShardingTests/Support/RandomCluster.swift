import Sharding
import Simulation
import Testing

/// A cluster as chance has it, with an assignment of its shards.
struct RandomCluster {
    var members: [Assignment.Member]
    let shardCount: Int
    let replicas: Int
    private var lastNumber = 0

    init(zones: ClosedRange<Int> = 1...1, weights: [Int] = [100], using random: inout SeededRandom) throws {
        shardCount = Int.random(in: 1...96, using: &random)
        replicas = Int.random(in: 1...4, using: &random)
        members = []
        let zoneCount = Int.random(in: zones, using: &random)
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            try join(zone: Int.random(in: 0..<zoneCount, using: &random), weights: weights, using: &random)
        }
    }

    mutating func join(zone: Int = 0, weights: [Int] = [100], using random: inout SeededRandom) throws {
        lastNumber += 1
        let weight = try #require(weights.randomElement(using: &random))
        members.append(
            Assignment.Member(try #require(NodeID("node-\(lastNumber)")), zone: "zone-\(zone)", weight: weight))
    }

    func assignment(holders: [[NodeID]] = []) -> Assignment {
        Assignment(members: members, shardCount: shardCount, replicas: replicas, holders: holders)
    }
}

extension Assignment {
    /// By shard.
    var holders: [[NodeID]] { (0..<shardCount).map { replicas(of: ShardID($0)) } }

    func count(of node: NodeID) -> Int { holders.reduce(0) { $0 + ($1.contains(node) ? 1 : 0) } }

    /// How many replicas are on a node that did not have them.
    func moves(from holders: [[NodeID]]) -> Int {
        zip(self.holders, holders).reduce(0) { $0 + Set($1.0).subtracting($1.1).count }
    }
}
