import Sharding
import Simulation
import Testing

@Suite struct HandoverSimulation {
    private func settled(_ count: Int, using random: inout SeededRandom) throws -> HandoverCluster {
        var cluster = HandoverCluster()
        for number in 1...count { cluster.join(try node("node-\(number)"), knowsAll: false) }
        let steps = cluster.settle(using: &random)
        try #require(steps < 1_000)
        return cluster
    }

    @Test(arguments: Seeds.first(25))
    func `when a node joins every shard keeps two live replicas, and only the newcomer's share moves`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var cluster = try settled(3, using: &random)
        cluster.catchUp()
        cluster.join(try node("node-4"))
        #expect(cluster.settle(using: &random) < 300)
        #expect(cluster.fewestLive >= 2)
        #expect(cluster.starts == 12)
    }

    @Test(arguments: Seeds.first(25))
    func `when a node drains every shard keeps two live replicas, and what it had moves`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var cluster = try settled(4, using: &random)
        cluster.catchUp()
        let held = cluster.nodes[1].reports.count
        cluster.drain(1)
        // One and another more in 1 of 50, where news of what others began comes between a chain of moves.
        let planned = cluster.planned
        #expect(cluster.settle(using: &random) < 300)
        #expect(cluster.fewestLive >= 2)
        #expect((held...held + 1).contains(planned))
        #expect((planned...planned + 2).contains(cluster.starts))
        #expect(cluster.nodes[1].reports.isEmpty)
    }

    /// Each change begins while the last is under way, and news may be as old as chance has it.
    @Test(arguments: Seeds.first(25))
    func `whatever joins and drains at once, every shard keeps two live replicas and all come to rest`(
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed: seed)
        var cluster = try settled(3, using: &random)
        cluster.catchUp()
        for number in 4...6 {
            cluster.join(
                try node("node-\(number)"), weight: [50, 100, 200][number - 4], knowsAll: Bool.random(using: &random))
            cluster.run(Int.random(in: 0...40, using: &random), using: &random)
            if number > 4 { cluster.drain(number - 5) }
            cluster.run(Int.random(in: 0...40, using: &random), using: &random)
            #expect(cluster.fewestLive >= 2)
        }
        #expect(cluster.settle(using: &random) < 600)
        #expect(cluster.fewestLive >= 2)
        #expect(cluster.nodes[0].reports.isEmpty && cluster.nodes[1].reports.isEmpty)
    }
}
