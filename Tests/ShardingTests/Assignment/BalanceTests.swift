import Sharding
import Simulation
import Testing

@Suite struct BalanceTests {
    @Test(arguments: Seeds.first(400))
    func `equal nodes have equally many shards, to one`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let cluster = try RandomCluster(using: &random)
        let assignment = cluster.assignment()
        let counts = cluster.members.map { assignment.count(of: $0.id) }
        let spread = (counts.max() ?? 0) - (counts.min() ?? 0)
        #expect(spread <= 1)
        #expect(counts.reduce(0, +) == cluster.shardCount * min(cluster.replicas, cluster.members.count))
    }

    @Test(arguments: Seeds.first(400))
    func `every shard has as many nodes as asked for, all different, in as many zones as there are`(seed: UInt64) throws
    {
        var random = SeededRandom(seed: seed)
        let cluster = try RandomCluster(zones: 1...6, weights: [1, 50, 100, 400], using: &random)
        let zoneOf = Dictionary(uniqueKeysWithValues: cluster.members.map { ($0.id, $0.zone) })
        let zoneCount = Set(zoneOf.values).count
        let wanted = min(cluster.replicas, cluster.members.count)
        for replicas in cluster.assignment().holders {
            #expect(Set(replicas).count == wanted)
            #expect(replicas.count == wanted)
            if zoneCount >= wanted { #expect(Set(replicas.map { zoneOf[$0] }).count == wanted) }
        }
    }

    @Test(arguments: Seeds.first(300))
    func `a node's share follows its weight, to one, where no node could take more`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let cluster = try RandomCluster(weights: [80, 100, 120, 200], using: &random)
        let total = cluster.members.reduce(0) { $0 + $1.weight }
        let units = cluster.shardCount * min(cluster.replicas, cluster.members.count)
        let assignment = cluster.assignment()
        guard cluster.members.allSatisfy({ units * $0.weight <= cluster.shardCount * total }) else { return }
        for member in cluster.members {
            let floor = units * member.weight / total
            let isExact = units * member.weight % total == 0
            #expect((floor...floor + (isExact ? 0 : 1)).contains(assignment.count(of: member.id)))
        }
    }

    @Test func `a zone that takes one replica of each shard takes no more, and the others share the rest`() throws {
        let members = try [("a", "x"), ("b", "y"), ("c", "y"), ("d", "y")].map { name, zone in
            Assignment.Member(try #require(NodeID(name)), zone: zone)
        }
        let assignment = Assignment(members: members, shardCount: 12, replicas: 2)
        #expect(members.map { assignment.count(of: $0.id) } == [12, 4, 4, 4])
    }

    @Test func `a node of weight 0 takes nothing`() throws {
        let (a, b) = (try #require(NodeID("a")), try #require(NodeID("b")))
        let assignment = Assignment(members: [.init(a), .init(b, weight: 0)], shardCount: 3, replicas: 2)
        #expect(assignment.holders == [[a], [a], [a]])
        #expect(Assignment(members: [], shardCount: 3, replicas: 2).holders == [[], [], []])
    }

    @Test(arguments: Seeds.first(200))
    func `the order in which members and holders are named makes no difference`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var cluster = try RandomCluster(zones: 1...4, weights: [50, 100, 200], using: &random)
        let holders = cluster.assignment().holders
        try cluster.join(using: &random)
        let expected = cluster.assignment(holders: holders)
        cluster.members.shuffle(using: &random)
        #expect(cluster.assignment(holders: holders.map { $0.shuffled(using: &random) }) == expected)
    }

    @Test func `the first replica is the one that rendezvous order names first`() throws {
        var random = SeededRandom(seed: 1)
        let cluster = try RandomCluster(using: &random)
        for (shard, replicas) in cluster.assignment().holders.enumerated() {
            #expect(Rendezvous.order(replicas.reversed(), for: ShardID(shard)) == replicas)
        }
    }
}
