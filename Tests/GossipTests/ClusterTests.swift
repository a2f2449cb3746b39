import Sharding
import Testing

@testable import Gossip

/// Real sockets and threads on loopback; what `Membership` does with lost packets and many nodes is tested in Sharding.
@Suite(.serialized)
struct ClusterTests {
    @Test(arguments: [nil, try testKey(7)])
    func `three nodes that know one seed come to see each other and each other's tables`(key: GossipKey?) throws {
        try withCluster(["a", "b", "c"], key: key) { nodes in
            for node in nodes { try node.gossip.publish(table("http://\(node.id)")) }
            for node in nodes {
                #expect(node.comesToSee { $0.presentCount == 3 })
                for other in nodes where other.id != node.id {
                    #expect(node.comesToSee { $0.member(other.id)?.table == table("http://\(other.id)") })
                    #expect(node.now.member(other.id)?.address == other.gossip.advertised)
                }
            }
        }
    }

    /// The first comes with the greeting, over TCP; the second in pieces, over UDP.
    @Test func `tables of the largest size cross when a node joins and when they change`() throws {
        let (first, second) = (table("http://a", shards: 900), table("http://b", shards: 900))
        #expect(try first.encoded().count > 12_000)
        let a = try TestNode("a")
        try a.gossip.publish(first)
        try a.start()
        let b = try TestNode("b", join: [a.address])
        try b.start()
        defer { for node in [a, b] { node.gossip.stop() } }
        #expect(b.comesToSee { $0.member(a.id)?.table == first })
        let frames = b.gossip.counters.framesIn
        try a.gossip.publish(second)
        #expect(b.comesToSee { $0.member(a.id)?.table == second })
        #expect(b.gossip.counters.framesIn == frames)
        #expect(throws: NodeTableError.self) { try a.gossip.publish(table("http://a", shards: 2_000)) }
    }

    @Test func `a node that ends without a word is dead to the others`() throws {
        try withCluster(["a", "b", "c"]) { nodes in
            for node in nodes { #expect(node.comesToSee { $0.presentCount == 3 }) }
            nodes[2].gossip.stop()
            for node in nodes.prefix(2) { #expect(node.comesToSee(nodes[2].id, .dead)) }
            #expect(nodes[0].now.presentCount == 2)
        }
    }

    @Test func `a node that says goodbye has left for the others and was never suspected`() throws {
        try withCluster(["a", "b", "c"]) { nodes in
            for node in nodes { #expect(node.comesToSee { $0.presentCount == 3 }) }
            let began = ContinuousClock.now
            nodes[2].gossip.leave()
            #expect(ContinuousClock.now - began < .seconds(2))
            for node in nodes.prefix(2) {
                #expect(node.comesToSee(nodes[2].id, .left))
                #expect(node.now.history[nodes[2].id]?.contains(.dead) == false)
            }
        }
    }

    @Test func `a node that comes back under its id at another port is alive there`() throws {
        try withCluster(["a", "b", "c"]) { nodes in
            for node in nodes { #expect(node.comesToSee { $0.presentCount == 3 }) }
            nodes[2].gossip.stop()
            let again = try TestNode("c", join: [nodes[0].address], boot: 2_000)
            try again.start()
            defer { again.gossip.stop() }
            #expect(again.gossip.port != nodes[2].gossip.port)
            for node in nodes.prefix(2) {
                #expect(
                    node.comesToSee {
                        let member = $0.member(again.id)
                        return member?.status == .alive && member?.address == again.gossip.advertised
                    })
            }
        }
    }

    @Test func `a live node reported as reset is suspected, and denies it`() throws {
        try withCluster(["a", "b"]) { nodes in
            for node in nodes { #expect(node.comesToSee { $0.presentCount == 2 }) }
            let before = try #require(nodes[0].now.member(nodes[1].id)).incarnation
            nodes[0].gossip.peerReset(nodes[1].id)
            // The denial may come so soon that both changes are told as one.
            #expect(
                nodes[0].comesToSee { seen in
                    seen.member(nodes[1].id).map { $0.status == .alive && $0.incarnation > before } ?? false
                })
            #expect(nodes[0].now.history[nodes[1].id]?.contains(.dead) == false)
        }
    }

    /// The name is looked up on the resolver's thread; the first greeting waits for it.
    @Test func `a seed may be a name`() throws {
        let a = try TestNode("a")
        try a.start()
        let b = try TestNode("b") { $0.joinDNS = "localhost:\(a.gossip.port)" }
        try b.start()
        defer { for node in [a, b] { node.gossip.stop() } }
        #expect(b.comesToSee(a.id, .alive))
    }

    @Test func `a seed that comes up later is found`() throws {
        let port = try freePort()
        let b = try TestNode("b", join: ["127.0.0.1:\(port)"])
        try b.start()
        defer { b.gossip.stop() }
        #expect(
            b.comesToSee { seen in
                seen.reports.contains { if case .seedFailed = $0 { true } else { false } }
            })
        let a = try TestNode("a", port: port)
        try a.start()
        defer { a.gossip.stop() }
        #expect(b.comesToSee(a.id, .alive))
    }

    @Test(.enabled(if: hasIPv6)) func `nodes meet over IPv6, and one bound to both reaches one bound to IPv4`() throws {
        try withCluster(["a", "b"], host: "::1") { nodes in
            for node in nodes { #expect(node.comesToSee { $0.presentCount == 2 }) }
        }
        let a = try TestNode("a", host: "::") { $0.advertise = HostPort(host: "127.0.0.1", port: 0) }
        try a.start()
        let b = try TestNode("b", join: [a.address])
        try b.start()
        defer { for node in [a, b] { node.gossip.stop() } }
        #expect(a.comesToSee(b.id, .alive))
        #expect(b.comesToSee(a.id, .alive))
    }

    private func freePort() throws -> Int {
        Int(try BoundSockets(PeerAddress(ipv4: 0x7F00_0001, port: 0)).address.port)
    }
    private static var hasIPv6: Bool { (try? BoundSockets(PeerAddress(high: 0, low: 1, port: 0))) != nil }
}
