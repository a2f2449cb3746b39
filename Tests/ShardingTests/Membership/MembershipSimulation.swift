import Sharding
import Simulation
import Testing

/// Clusters with the real core on a simulated network. Safety while faults last, liveness once they stop.
@Suite struct MembershipSimulation {
    @Test(arguments: Seeds.first(4))
    func `nodes that know one seed come to know each other`(seed: UInt64) {
        var cluster = SimulatedCluster(nodeCount: 20, seed: seed, isFormed: false)
        cluster.network.loss = 0.1
        #expect(cluster.run(atMost: .seconds(10)) { $0.agrees })
    }

    @Test(arguments: Seeds.first(4))
    func `a dead node is known to all within a second, and nobody else is thought dead`(seed: UInt64) {
        var conditions = MembershipStudy.Conditions(nodeCount: 50)
        conditions.starvedShare = 0.2
        conditions.kills = 2
        let study = MembershipStudy(conditions, seed: seed)
        #expect(study.missed == 0)
        #expect(study.disseminations.allSatisfy { $0 < 1 })
        #expect(study.healthyEvictions == 0)
        #expect(study.starvedEvictions == 0)
    }

    /// s. Who starves is late to answer and to pass on news, to the healthy as well.
    @Test(arguments: [(nil, 2.5), (.busy, 2.5), (.hard, 3)] as [(Starvation?, Double)])
    func `a machine that falls silent is known to be dead in time, and starved ones live on`(
        starvation: Starvation?, limit: Double
    ) {
        var conditions = MembershipStudy.Conditions(nodeCount: 20)
        if let starvation { (conditions.starvedShare, conditions.starvation) = (0.2, starvation) }
        (conditions.crash, conditions.kills) = (.machine, 6)
        let study = MembershipStudy(conditions, seed: 1)
        #expect(study.missed == 0)
        #expect(study.disseminations.allSatisfy { $0 < limit }, "\(study.disseminations)")
        #expect(study.healthyEvictions + study.starvedEvictions == 0)
    }

    @Test(arguments: Seeds.first(4))
    func `a process that is back at its port at once, or never was away, is not buried`(seed: UInt64) {
        var cluster = SimulatedCluster(nodeCount: 5, seed: seed)
        cluster.run(for: .seconds(1))
        for _ in 0..<5 {
            for node in 0..<4 { cluster.refuse(node, by: 4) }
            cluster.run(for: .milliseconds(100))
        }
        cluster.crash(4, .process)
        cluster.run(for: .milliseconds(150))
        cluster.restart(4)
        #expect(cluster.run(atMost: .seconds(1)) { $0.agrees })
        #expect(!cluster.observations.contains { $0.change == .died })
        #expect(cluster.observations.contains { $0.change == .suspected })
    }

    @Test(arguments: Seeds.first(4))
    func `with three packets in ten lost the dead are found and the living are not buried for long`(seed: UInt64) {
        var cluster = SimulatedCluster(nodeCount: 30, seed: seed)
        cluster.network.loss = 0.3
        cluster.run(for: .seconds(3))
        cluster.crash(7)
        #expect(
            cluster.run(atMost: .seconds(5)) {
                $0.agrees || (0..<30).filter($0.isUp).allSatisfy { _ in true } && allBury(7, $0)
            })
        cluster.network.heal()
        #expect(cluster.run(atMost: .seconds(20)) { $0.agrees })
    }

    private func allBury(_ node: Int, _ cluster: SimulatedCluster) -> Bool {
        (0..<cluster.nodeCount).filter(cluster.isUp).allSatisfy { cluster.believesDead(node, by: $0) }
    }

    @Test(arguments: Seeds.first(4))
    func `after a partition that both sides took for the other's death they find together`(seed: UInt64) {
        var cluster = SimulatedCluster(nodeCount: 16, seed: seed)
        let (left, right) = (Set(0..<7), Set(7..<16))
        cluster.network.block(from: left, to: right)
        cluster.network.block(from: right, to: left)
        #expect(cluster.run(atMost: .seconds(15)) { cluster in left.allSatisfy { cluster.believesDead(12, by: $0) } })
        cluster.network.heal()
        #expect(cluster.run(atMost: .seconds(60)) { $0.agrees })
    }

    @Test(arguments: Seeds.first(4))
    func `one that hears nobody buries nobody who is heard by others, and is back when it hears again`(seed: UInt64) {
        var cluster = SimulatedCluster(nodeCount: 12, seed: seed)
        cluster.network.block(from: Set(1..<12), to: [0])
        cluster.run(for: .seconds(5))
        let buried = cluster.observations.filter { $0.isFalseDeath && $0.subject != 0 && $0.observer != 0 }
        #expect(buried.isEmpty)
        cluster.network.heal()
        #expect(cluster.run(atMost: .seconds(60)) { $0.agrees })
    }

    /// Whatever the clock that names its life says: behind by a day, or ahead.
    @Test(arguments: [Duration.zero, .seconds(-86_400), .seconds(86_400)])
    func `a node that restarts under its id is alive again within two seconds`(wallOffset: Duration) {
        var cluster = SimulatedCluster(nodeCount: 8, seed: 3)
        cluster.run(for: .seconds(2))
        for _ in 0..<3 {
            cluster.crash(4)
            cluster.run(for: .milliseconds(400))
            cluster.restart(4, wallOffset: wallOffset)
            #expect(cluster.run(atMost: .seconds(2)) { $0.agrees })
            cluster.run(for: .seconds(2))
            #expect(cluster.agrees)
        }
    }

    @Test func `a node whose clock jumps ahead accuses nobody`() {
        var cluster = SimulatedCluster(nodeCount: 8, seed: 4)
        cluster.run(for: .seconds(1))
        for _ in 0..<5 {
            cluster.jumpClock(of: 2, by: .seconds(30))
            cluster.run(for: .seconds(1))
        }
        #expect(!cluster.observations.contains { $0.change == .died })
        #expect(cluster.agrees)
    }

    @Test func `who says goodbye is known to have left, and is never suspected`() {
        var cluster = SimulatedCluster(nodeCount: 10, seed: 5)
        cluster.run(for: .seconds(1))
        cluster.leave(3)
        #expect(cluster.run(atMost: .seconds(1)) { $0.departed == [3] })
        cluster.crash(3)
        #expect(cluster.run(atMost: .milliseconds(500)) { $0.agrees })
        #expect(cluster.member(3, seenBy: 0)?.status == .left)
        cluster.run(for: .seconds(3))
        #expect(!cluster.observations.contains { $0.subject == 3 && ($0.change == .suspected || $0.change == .died) })
    }

    @Test(arguments: Seeds.first(10))
    func `reset connections make a death known sooner than the next probe does`(seed: UInt64) {
        var (reset, probed) = (SimulatedCluster(nodeCount: 3, seed: seed), SimulatedCluster(nodeCount: 3, seed: seed))
        reset.run(for: .seconds(1))
        probed.run(for: .seconds(1))
        reset.crash(2, .process)
        probed.crash(2, .process)
        for node in 0..<2 { reset.reset(connectionOf: node, to: 2) }
        #expect(reset.run(atMost: .milliseconds(350)) { allBury(2, $0) })
        #expect(probed.run(atMost: .seconds(1)) { allBury(2, $0) })
        #expect(reset.now <= probed.now)
    }

    @Test func `a reset connection of a node that lives buries nobody`() {
        var cluster = SimulatedCluster(nodeCount: 5, seed: 6)
        cluster.run(for: .seconds(1))
        for node in 0..<4 { cluster.reset(connectionOf: node, to: 4) }
        cluster.run(for: .seconds(2))
        #expect(cluster.agrees)
        #expect(!cluster.observations.contains { $0.change == .died })
    }

    @Test(arguments: Seeds.first(2))
    func `every node gets the newest table of every other, though packets are lost`(seed: UInt64) throws {
        var cluster = SimulatedCluster(nodeCount: 12, seed: seed)
        cluster.network.loss = 0.2
        for round in UInt64(0)..<4 {
            for node in 0..<12 { try cluster.publish(.sample(shards: 180, lag: round), from: node) }
            cluster.run(for: .milliseconds(300))
        }
        let expected = try NodeTable.sample(shards: 180, lag: 3).encoded()
        #expect(expected.count > 2 * 1_100)
        #expect(
            cluster.run(atMost: .seconds(20)) { cluster in
                (0..<12).allSatisfy { node in cluster.members(seenBy: node).allSatisfy { $0.table == expected } }
            })
    }

    @Test func `the table of a restarted node replaces that of its former life, though its clock went back`() throws {
        var cluster = SimulatedCluster(nodeCount: 6, seed: 8)
        try cluster.publish(.sample(shards: 1), from: 5)
        cluster.run(for: .seconds(1))
        cluster.crash(5)
        cluster.restart(5, wallOffset: .seconds(-3_600))
        cluster.run(for: .seconds(1))
        try cluster.publish(.sample(shards: 2), from: 5)
        let expected = try NodeTable.sample(shards: 2).encoded()
        #expect(
            cluster.run(atMost: .seconds(3)) { cluster in
                (0..<6).allSatisfy { cluster.member(5, seenBy: $0)?.table == expected }
            })
    }

    @Test func `one seed makes one history`() {
        func history() -> [String] {
            var cluster = SimulatedCluster(nodeCount: 15, seed: 9)
            cluster.network.loss = 0.3
            cluster.starve(1, .hard)
            cluster.run(for: .seconds(2))
            cluster.crash(3)
            cluster.run(for: .seconds(2))
            return cluster.observations.map { "\($0.time) \($0.observer) \($0.subject) \($0.change)" }
        }
        let first = history()
        #expect(first == history())
        #expect(first.count > 20)
    }

    @Test func `a thousand nodes learn of a death within three seconds`() {
        var cluster = SimulatedCluster(nodeCount: 1_000, seed: 10)
        cluster.run(for: .milliseconds(200))
        cluster.crash(500)
        #expect(cluster.run(atMost: .seconds(3), step: .milliseconds(50)) { allBury(500, $0) })
        #expect(!cluster.observations.contains { $0.isFalseDeath })
    }
}
