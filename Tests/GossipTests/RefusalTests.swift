import Sharding
import Testing

@testable import Gossip

@Suite(.serialized)
struct RefusalTests {
    @Test(arguments: [(1, 2), (1, nil), (nil, 2)] as [(UInt8?, UInt8?)])
    func `a node with another key is refused, and both sides say so`(keys: (UInt8?, UInt8?)) throws {
        let a = try TestNode("a", key: try keys.0.map(testKey))
        try a.start()
        let b = try TestNode("b", join: [a.address], key: try keys.1.map(testKey))
        try b.start()
        defer { for node in [a, b] { node.gossip.stop() } }
        #expect(
            a.comesToSee { seen in
                seen.reports.contains { if case .membership(.refusing(nil, _, .key)) = $0 { true } else { false } }
            })
        #expect(b.comesToSee { $0.reports.contains(.membership(.refused(by: a.gossip.advertised, .key))) })
        #expect(a.gossip.members.count == 1)
        #expect(b.gossip.members.count == 1)
    }

    @Test func `a node with other settings is told which`() throws {
        let a = try TestNode("a", settings: ["partitions": "64"], key: try testKey(1))
        try a.start()
        let b = try TestNode("b", join: [a.address], settings: ["partitions": "32"], key: try testKey(1))
        try b.start()
        defer { for node in [a, b] { node.gossip.stop() } }
        let refusal = JoinRefusal.settings(name: "partitions", joining: "32", cluster: "64")
        #expect(
            a.comesToSee { seen in
                seen.reports.contains {
                    if case .membership(.refusing(b.id, _, refusal)) = $0 { true } else { false }
                }
            })
        #expect(b.comesToSee { $0.reports.contains(.membership(.refused(by: a.gossip.advertised, refusal))) })
        #expect(a.gossip.members.count == 1)
        #expect(b.gossip.members.count == 1)
    }
}
