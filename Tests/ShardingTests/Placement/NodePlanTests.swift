import Sharding
import Testing

@Suite struct NodePlanTests {
    private let shard = ShardID(0)
    private let own: NodeID
    private let other: NodeID

    init() throws {
        own = try #require(NodeID("a"))
        other = try #require(NodeID("b"))
    }

    private func peer(_ phase: ShardReport.Phase, at offset: UInt64) -> LiveNode {
        var table = NodeTable()
        table.shards = [ShardReport(shard, phase, offset: offset)]
        return LiveNode(other, table: table)
    }

    private func decide(
        _ plan: inout NodePlan, _ phase: ShardReport.Phase, at offset: Int, beside peer: LiveNode
    ) -> Bool {
        let report = ShardReport(shard, phase, offset: UInt64(offset))
        return plan.decide(peers: [peer], reports: [report], isDraining: false, at: .milliseconds(offset))
    }

    /// With both replicas live at 100.
    private func settled() -> NodePlan {
        var plan = NodePlan(own: own, table: NodeTable(), shardCount: 1, replicas: 2, boot: 1)
        for _ in 0..<3 { _ = decide(&plan, .live, at: 100, beside: peer(.live, at: 100)) }
        return plan
    }

    @Test func `progress is told and decides nothing`() {
        var plan = settled()
        var isNews = decide(&plan, .live, at: 100, beside: peer(.live, at: 100))
        #expect(!isNews)
        isNews = decide(&plan, .live, at: 120, beside: peer(.live, at: 110))
        #expect(!isNews)
        #expect(plan.table[shard]?.offset == 120)
        #expect(plan.map[shard].first { $0.node == other }?.report.offset == 110)
        let published = plan.takeTable(at: .seconds(1))
        #expect(published?[shard]?.offset == 120)
    }

    @Test func `everything else is decided on`() {
        var plan = settled()
        var isNews = decide(&plan, .catchingUp, at: 120, beside: peer(.live, at: 110))
        #expect(isNews)
        #expect(plan.table[shard]?.phase == .catchingUp)
        plan = settled()
        isNews = decide(&plan, .live, at: 120, beside: peer(.restoring, at: 110))
        #expect(isNews)
        #expect(plan.map.serving(shard).map(\.node) == [own])
        plan = settled()
        for isDraining in [false, true] {
            let isNews = plan.decide(
                peers: [], reports: [ShardReport(shard, .live)], isDraining: isDraining, at: .seconds(1))
            #expect(isNews)
        }
        #expect(plan.hosted == [shard] && plan.table.isDraining)
    }
}
