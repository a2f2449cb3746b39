import Sharding
import Testing

@Suite struct StandstillTests {
    private let shard = ShardID(0)

    private func report(_ offset: UInt64, _ phase: ShardReport.Phase = .live) -> ShardReport {
        ShardReport(shard, phase, offset: offset)
    }

    private func peers(_ others: [(String, ShardReport)], suspect: Bool = false) throws -> [LiveNode] {
        try others.map { name, report in
            var table = NodeTable()
            table.shards = [report]
            return LiveNode(try node(name), isSuspect: suspect, table: table)
        }
    }

    @Test func `a replica that does not move while a live one is further stands still after a second`() throws {
        var standstill = Standstill()
        for tick in 0...9 {
            standstill.look([report(100)], try peers([("b", report(120))]), at: .milliseconds(100 * tick))
            #expect(standstill.shards.isEmpty)
        }
        standstill.look([report(100)], try peers([("b", report(120))]), at: .seconds(1))
        #expect(standstill.shards == [shard])
    }

    @Test func `once it stands still in one shard it is sooner found to in others`() throws {
        var standstill = Standstill()
        let other = ShardID(1)
        func look(_ offset: UInt64, at now: Duration) throws {
            var table = NodeTable()
            table.shards = [report(120), ShardReport(other, .live, offset: offset)]
            let peers = [LiveNode(try node("b"), table: table)]
            standstill.look([report(100), ShardReport(other, .live, offset: 7)], peers, at: now)
        }
        try look(7, at: .zero)
        try look(7, at: .seconds(1))
        #expect(standstill.shards == [shard])
        try look(8, at: .milliseconds(1_100))
        try look(9, at: .milliseconds(1_300))
        #expect(standstill.shards == [shard])
        try look(9, at: .milliseconds(1_400))
        #expect(standstill.shards == [shard, other])
    }

    @Test func `one that moves, however slowly, does not`() throws {
        var standstill = Standstill()
        for tick in 0..<50 {
            let offset = UInt64(100 + tick / 9)
            standstill.look([report(offset)], try peers([("b", report(10_000))]), at: .milliseconds(100 * tick))
            #expect(standstill.shards.isEmpty)
        }
    }

    @Test(arguments: [(90 as UInt64, ShardReport.Phase.live), (100, .live), (120, .catchingUp)])
    func `nor does one than which nobody who could serve is further`(
        offset: UInt64, phase: ShardReport.Phase
    ) throws {
        var standstill = Standstill()
        for tick in 0..<50 {
            standstill.look([report(100)], try peers([("b", report(offset, phase))]), at: .milliseconds(100 * tick))
        }
        #expect(standstill.shards.isEmpty)
    }

    @Test func `offsets without records do not count as missed once the log's end was seen`() throws {
        var standstill = Standstill()
        for tick in 0..<50 {
            let atEnd = ShardReport(shard, .live, offset: 98, lag: 2)
            standstill.look([atEnd], try peers([("b", report(100))]), at: .milliseconds(100 * tick))
        }
        #expect(standstill.shards.isEmpty)
    }

    @Test func `it serves again when those who were further are gone or suspected`() throws {
        for end in [try peers([]), try peers([("b", report(120))], suspect: true)] {
            var standstill = Standstill()
            for tick in 0...10 {
                standstill.look([report(100)], try peers([("b", report(120))]), at: .milliseconds(100 * tick))
            }
            #expect(standstill.shards == [shard])
            standstill.look([report(100, .catchingUp)], end, at: .seconds(2))
            #expect(standstill.shards.isEmpty)
        }
    }

    @Test func `it is over when it has as much as the others`() throws {
        var standstill = Standstill()
        for tick in 0...10 {
            standstill.look([report(100)], try peers([("b", report(120))]), at: .milliseconds(100 * tick))
        }
        standstill.look([report(129, .catchingUp)], try peers([("b", report(130))]), at: .seconds(2))
        #expect(standstill.shards == [shard])
        standstill.look([report(130, .catchingUp)], try peers([("b", report(130))]), at: .seconds(2))
        #expect(standstill.shards.isEmpty)
    }

    @Test func `a node that stands still says that its replica is not live`() throws {
        let own = try node("a")
        var plan = NodePlan(own: own, table: NodeTable(), shardCount: 1, replicas: 2, boot: 1)
        var table = NodeTable()
        table.shards = [report(120)]
        let peer = LiveNode(try node("b"), table: table)
        for tick in 0...11 {
            plan.decide(peers: [peer], reports: [report(100)], isDraining: false, at: .milliseconds(100 * tick))
        }
        #expect(plan.standing == [shard] && plan.hosted == [shard])
        #expect(plan.table.shards.first?.phase == .catchingUp)
        #expect(plan.map.serving(shard).map(\.node) == [peer.id])
        plan.decide(peers: [], reports: [report(100, .live)], isDraining: false, at: .seconds(2))
        #expect(plan.table.shards.first?.phase == .live)
    }
}
