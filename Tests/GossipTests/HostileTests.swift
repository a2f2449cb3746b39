import Glibc
import Sharding
import Testing

@testable import Gossip

/// What anyone who reaches the port can do to a node: nothing that outlasts it.
@Suite(.serialized)
struct HostileTests {
    @Test(arguments: [nil, try testKey(9)])
    func `garbage datagrams and frames are counted and change nothing`(key: GossipKey?) throws {
        try withCluster(["a", "b"], key: key) { nodes in
            for node in nodes { #expect(node.comesToSee { $0.presentCount == 2 }) }
            let (a, before) = (nodes[0], nodes[0].gossip.members)
            let datagrams = try RawSocket(SOCK_DGRAM, to: a.gossip.advertised)
            let garbage = garbage()
            for bytes in garbage { datagrams.send(bytes) }
            let stream = try RawSocket(SOCK_STREAM, to: a.gossip.advertised)
            stream.send(FrameAssembler.head(of: garbage[3]) + garbage[3])
            #expect(a.comesToCount { $0.unreadable + $0.malformed >= garbage.count + 1 })
            #expect(stream.readToEnd() != nil)
            #expect(a.gossip.members.map(\.id) == before.map(\.id))
            #expect(a.gossip.members.map(\.incarnation) == before.map(\.incarnation))
            #expect(nodes[1].comesToSee(a.id, .alive))
        }
    }

    /// As long as datagrams can be, and longer; none begins like sealed bytes.
    private func garbage() -> [[UInt8]] {
        var random = Seeded(state: 5)
        return [1, 9, 40, 200, 1_400, 1_401, 9_000].map { count in
            [0x7F] + (1..<count).map { _ in UInt8.random(in: 0...255, using: &random) } + [0]
        }
    }

    @Test func `a frame announced longer than any can be ends the connection`() throws {
        try withCluster(["a"]) { nodes in
            let stream = try RawSocket(SOCK_STREAM, to: nodes[0].gossip.advertised)
            stream.send([0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3])
            #expect(stream.readToEnd() == [])
            #expect(nodes[0].comesToCount { $0.unreadable == 1 })
        }
    }

    @Test func `a connection that is silent is closed, and many of them keep no node from joining`() throws {
        try withCluster(["a"]) { nodes in
            let silent = try (0..<StreamTable.countMax + 20).map { _ in
                try RawSocket(SOCK_STREAM, to: nodes[0].gossip.advertised)
            }
            let b = try TestNode("b", join: [nodes[0].address])
            try b.start()
            defer { b.gossip.stop() }
            #expect(b.comesToSee(nodes[0].id, .alive))
            #expect(silent.last?.readToEnd() == [])
            #expect(silent.first?.readToEnd() == [])
        }
    }

    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }
}
