import Sharding
import Simulation
import Testing

@Suite struct PlacementTests {
    private static let handover = HandoverID(7)

    private func live(
        _ name: String, _ phase: ShardReport.Phase?, leaving: HandoverID? = nil, promises: [HandoverID] = []
    ) throws -> LiveNode {
        var table = NodeTable()
        if let phase { table.shards = [ShardReport(ShardID(0), phase, handover: leaving, promises: promises)] }
        return LiveNode(try node(name), table: table)
    }

    private func placement(of name: String, in nodes: [LiveNode], replicas: Int = 1) throws -> Placement {
        Placement(
            of: try node(name), assignment: Assignment(nodes, shardCount: 1, replicas: replicas),
            map: ShardMap(nodes, shardCount: 1))
    }

    @Test func `a holder that drains serves until its successor is live and has promised to stay, then stops`() throws {
        let shard = ShardID(0)
        var drained = try live("a", .live)
        drained.table.isDraining = true
        #expect(try placement(of: "a", in: [drained, try live("b", nil)]).keep == [shard])
        #expect(try placement(of: "b", in: [drained, try live("b", nil)]).start == [shard])
        #expect(try placement(of: "a", in: [drained, try live("b", .live)]).handOver == [shard])
        drained.table.shards[0].handover = Self.handover
        for (phase, promises, stops) in [
            (.restoring, [Self.handover], false), (.live, [], false), (.live, [HandoverID(6)], false),
            (.live, [Self.handover], true),
        ] as [(ShardReport.Phase, [HandoverID], Bool)] {
            let nodes = [drained, try live("b", phase, promises: promises)]
            let decision = try placement(of: "a", in: nodes)
            #expect(decision.handOver == (stops ? [] : [shard]))
            #expect(decision.stop == (stops ? [shard] : []))
            #expect(decision.isDrained == stops)
            #expect(try placement(of: "b", in: nodes).keep == [shard])
        }
    }

    @Test func `what a table says of handovers arrives`() throws {
        var table = NodeTable()
        table.shards = [
            ShardReport(
                ShardID(1), .live, handover: HandoverID(1 << 31), promises: [HandoverID(3), HandoverID(4)], lag: 9),
            ShardReport(ShardID(2), .restoring, replaces: try node("b").mark, hash: StateHash(offset: 10_000, hash: 5)),
        ]
        #expect(try NodeTable(try table.encoded()) == table)
    }

    @Test func `who has promised to outlast another's handover does not stop before it is over`() throws {
        let other = HandoverID(9)
        var drained = try live("a", .live, leaving: Self.handover, promises: [other])
        drained.table.isDraining = true
        let successor = try live("b", .live, promises: [Self.handover, other])
        var leaver = try live("c", .live, leaving: other)
        leaver.table.isDraining = true
        #expect(try placement(of: "a", in: [drained, successor, leaver]).handOver == [ShardID(0)])
        #expect(try placement(of: "a", in: [drained, successor]).stop == [ShardID(0)])
        leaver.table.shards[0].handover = HandoverID(10)
        #expect(try placement(of: "a", in: [drained, successor, leaver]).stop == [ShardID(0)])
    }

    @Test func `the last node keeps its shards though it drains, for there is nobody to take them`() throws {
        var last = try live("a", .live)
        last.table.isDraining = true
        #expect(try placement(of: "a", in: [last]).stop.isEmpty)
    }

    @Test func `a holder that is not live has nothing to hand over`() throws {
        var drained = try live("a", .catchingUp)
        drained.table.isDraining = true
        #expect(try placement(of: "a", in: [drained, try live("b", nil)]).stop == [ShardID(0)])
    }

    @Test func `the leader is the first live replica in rendezvous order that neither leaves nor is suspected`() throws
    {
        let order = Rendezvous.order([try node("a"), try node("b"), try node("c")], for: ShardID(0)).map(\.name)
        var nodes = [
            try live(order[0], .catchingUp), try live(order[1], .live, leaving: Self.handover),
            try live(order[2], .live),
        ]
        #expect(ShardMap(nodes, shardCount: 1).leader(of: ShardID(0))?.name == order[2])
        nodes[2].isSuspect = true
        #expect(ShardMap(nodes, shardCount: 1).leader(of: ShardID(0))?.name == order[1])
        nodes[0].table.shards[0].phase = .live
        #expect(ShardMap(nodes, shardCount: 1).leader(of: ShardID(0))?.name == order[0])
    }

    @Test func `a replica that differs is named, with who outvotes it`() throws {
        var ledger = HashLedger()
        let shard = ShardID(4)
        #expect(ledger.note(StateHash(offset: 10_000, hash: 1), of: shard, from: try node("a")) == nil)
        #expect(ledger.note(StateHash(offset: 20_000, hash: 2), of: shard, from: try node("b")) == nil)
        #expect(ledger.note(StateHash(offset: 10_000, hash: 1), of: shard, from: try node("b")) == nil)
        let divergence = try #require(ledger.note(StateHash(offset: 10_000, hash: 7), of: shard, from: try node("c")))
        #expect(divergence.outvoted == [try node("c")])
        #expect("\(divergence)" == "shard 4 differs at offset 10000: a has 1, b has 1, c has 7")
        #expect(ledger.note(StateHash(offset: 10_000, hash: 7), of: shard, from: try node("c")) == nil)
    }
}
