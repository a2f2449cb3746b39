import Sharding
import Simulation
import Testing

/// Tables reach everyone, whatever becomes of the packet that first announced them.
@Suite struct TableSimulation {
    /// What is announced to those a node knows while it still joins must come to those it meets later.
    @Test(arguments: [0, 0.3])
    func `nodes that publish while they join have each other's tables within three seconds`(loss: Double) throws {
        for seed in Seeds.first(60) {
            var cluster = SimulatedCluster(nodeCount: 3, seed: seed, isFormed: false)
            cluster.network.loss = loss
            for node in 0..<3 {
                cluster.run(for: .milliseconds(Int.random(in: 0..<30, using: &cluster.random)))
                try cluster.publish(.sample(shards: node), from: node)
            }
            #expect(cluster.run(atMost: .seconds(3)) { haveAllTables($0) }, "seed \(seed)")
        }
    }

    /// The announcement is said a few times only: then nobody says it any more.
    @Test func `a table published while no packet arrived is known within a round of probes once they do`() throws {
        for seed in Seeds.first(20) {
            var cluster = SimulatedCluster(nodeCount: 5, seed: seed)
            try cluster.publish(.sample(shards: 1), from: 4)
            cluster.run(for: .seconds(1))
            cluster.network.loss = 1
            for shards in 2..<6 { try cluster.publish(.sample(shards: shards), from: 4) }
            cluster.run(for: .milliseconds(400))
            cluster.network.loss = 0
            #expect(cluster.run(atMost: .seconds(3)) { haveAllTables($0) }, "seed \(seed)")
        }
    }

    /// Longer than any one fetch goes on asking, and at different points of it.
    @Test func `a table whose pieces are lost for a second is fetched again`() throws {
        for seed in Seeds.first(20) {
            var cluster = SimulatedCluster(nodeCount: 4, seed: seed)
            cluster.run(for: .seconds(1))
            try cluster.publish(.sample(shards: 100), from: 0)
            cluster.run(for: .milliseconds(9 + Int(seed % 5)))
            cluster.network.loss = 1
            cluster.run(for: .seconds(1))
            cluster.network.loss = 0
            #expect(cluster.run(atMost: .seconds(3)) { haveAllTables($0) }, "seed \(seed)")
        }
    }

    private func haveAllTables(_ cluster: SimulatedCluster) -> Bool {
        let nodes = 0..<cluster.nodeCount
        return nodes.allSatisfy { node in
            nodes.allSatisfy { other in
                guard let own = cluster.member(other, seenBy: other)?.table else { return false }
                return cluster.member(other, seenBy: node)?.table == own
            }
        }
    }
}
