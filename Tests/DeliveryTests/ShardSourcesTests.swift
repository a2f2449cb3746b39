import Delivery
import struct Sharding.NodeID
import Telemetry
import Testing

@Suite struct ShardSourcesTests {
    private let a = NodeID("a")
    private let b = NodeID("b")

    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(microseconds: milliseconds * 1_000) }

    /// One shard, at a node called "own".
    private func sources(live: [NodeID]) -> ShardSources {
        var sources = ShardSources(own: NodeID("own"), shardCount: 1)
        var view = ClusterView()
        view.live = [live]
        #expect(sources.changed(view, at: time(0)).isEmpty, "nobody wants the shard yet")
        return sources
    }

    @Test func `a shard that clients want is followed at the first live node, until the replica here is live`() throws {
        let (a, b) = (try #require(a), try #require(b))
        var sources = self.sources(live: [a, b])
        #expect(sources.want([0], at: time(0)) == [.follow(a, shard: 0)])
        #expect(!sources.isServed(0))
        #expect(sources.restored(.peer(a), 0, isLive: true).isTaken)
        #expect(sources.takes(.peer(a), 0))
        #expect(!sources.restored(.replica, 0, isLive: false).isTaken, "the peer goes on until the replica is live")
        let (isTaken, effects) = sources.restored(.replica, 0, isLive: true)
        #expect(isTaken && effects == [.unfollow(a, shard: 0)])
        #expect(sources.isReplica(0) && !sources.takes(.peer(a), 0))
    }

    @Test func `a peer that is lost is left for another, and asked again only after a while`() throws {
        let (a, b) = (try #require(a), try #require(b))
        var sources = self.sources(live: [a, b])
        _ = sources.want([0], at: time(0))
        #expect(sources.lost(a, shard: nil, at: time(1)) == [.follow(b, shard: 0)])
        #expect(sources.lost(b, shard: 0, at: time(2)) == [], "both have refused")
        #expect(sources.tick(time(50)).isEmpty)
        #expect(sources.tick(time(101)) == [.follow(a, shard: 0)])
    }

    @Test func `what a peer sends that is not followed any more is not taken`() throws {
        let (a, b) = (try #require(a), try #require(b))
        var sources = self.sources(live: [a, b])
        _ = sources.want([0], at: time(0))
        _ = sources.lost(a, shard: nil, at: time(1))
        #expect(!sources.restored(.peer(a), 0, isLive: true).isTaken)
        #expect(!sources.takes(.peer(a), 0))
    }

    @Test func `a shard that is released here is followed elsewhere, if clients want it`() throws {
        let a = try #require(a)
        var sources = self.sources(live: [a])
        _ = sources.restored(.replica, 0, isLive: true)
        #expect(sources.want([0], at: time(0)).isEmpty, "it is here")
        #expect(sources.released(0, at: time(1)) == [.follow(a, shard: 0)])
        #expect(sources.want([], at: time(2)) == [.unfollow(a, shard: 0)])
    }

    /// The shard is live here and about to leave, and clients want it.
    private func leaving(to peers: [NodeID]) -> ShardSources {
        var sources = self.sources(live: peers)
        _ = sources.restored(.replica, 0, isLive: true)
        _ = sources.want([0], at: time(0))
        return sources
    }

    @Test func `a shard that is about to leave is taken from a peer before it goes`() throws {
        let a = try #require(a)
        var sources = leaving(to: [a])
        #expect(sources.changed(ClusterView(live: [[a]], leaving: [0]), at: time(1)) == [.follow(a, shard: 0)])
        #expect(sources.takes(.replica, 0), "until the peer gives it")
        #expect(sources.restored(.peer(a), 0, isLive: true).isTaken)
        #expect(sources.takes(.peer(a), 0) && !sources.takes(.replica, 0))
        #expect(sources.released(0, at: time(2)).isEmpty)
        #expect(sources.takes(.peer(a), 0))
    }

    @Test func `a shard that stays after all is the replica's again`() throws {
        let a = try #require(a)
        var sources = leaving(to: [a])
        _ = sources.changed(ClusterView(live: [[a]], leaving: [0]), at: time(1))
        _ = sources.restored(.peer(a), 0, isLive: true)
        #expect(sources.changed(ClusterView(live: [[a]]), at: time(2)) == [.announce(shard: 0)])
        #expect(sources.restored(.replica, 0, isLive: true).1 == [.unfollow(a, shard: 0)])
        #expect(sources.takes(.replica, 0))
        #expect(sources.changed(ClusterView(live: [[a]]), at: time(3)).isEmpty)
    }

    @Test func `where the peer fails before the replica has gone the replica is the source again`() throws {
        let a = try #require(a)
        var sources = leaving(to: [a])
        _ = sources.changed(ClusterView(live: [[a]], leaving: [0]), at: time(1))
        _ = sources.restored(.peer(a), 0, isLive: true)
        #expect(sources.lost(a, shard: nil, at: time(2)) == [.announce(shard: 0)])
        #expect(sources.restored(.replica, 0, isLive: true).isTaken)
        #expect(sources.tick(time(150)) == [.follow(a, shard: 0)], "it is still about to leave")
    }

    @Test func `a node never follows itself`() throws {
        let own = try #require(NodeID("own"))
        var sources = self.sources(live: [own])
        #expect(sources.want([0], at: time(0)).isEmpty)
    }

    @Test func `one that no longer has the shard live is left when another has it`() throws {
        let (a, b) = (try #require(a), try #require(b))
        var sources = self.sources(live: [a])
        _ = sources.want([0], at: time(0))
        _ = sources.restored(.peer(a), 0, isLive: true)
        var view = ClusterView()
        view.live = [[]]
        #expect(sources.changed(view, at: time(1)).isEmpty, "nobody better is there")
        view.live = [[b]]
        #expect(sources.changed(view, at: time(2)) == [.unfollow(a, shard: 0), .follow(b, shard: 0)])
    }
}
