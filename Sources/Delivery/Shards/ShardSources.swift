import struct Sharding.NodeID
import Telemetry

/// Decides where each shard's outputs come from: from the replica here once it is live; else, while clients want them,
/// from a live replica elsewhere. A shard that is about to leave is taken from elsewhere before: to find and to ask a
/// peer takes a while, for which clients would hear nothing.
///
/// Pure. Outputs of the same shard are the same wherever they were made, so a switch costs at most some that come again
/// (the hub drops them) or are missing (the hub reads them from the log).
package struct ShardSources {
    package enum Effect: Equatable {
        case follow(NodeID, shard: Int)
        case unfollow(NodeID, shard: Int)
        /// The replica here should say again what it has, as when it became live: it is to be the source again.
        case announce(shard: Int)
    }

    private struct Place {
        /// Whose outputs are taken.
        var source: OutputSource?
        /// Who was asked. Until its state has come, the source before goes on if it can.
        var followed: NodeID?
        var isWanted = false
        /// The replica here has it, whether or not it is the source.
        var isLiveHere = false
        /// Peers that did not give the shard are not asked again before this.
        var refused: [NodeID: Timestamp] = [:]
    }

    package static let retryMicroseconds: Int64 = 100_000

    package let own: NodeID?
    private var places: [Place]
    private var view = ClusterView()

    package init(own: NodeID?, shardCount: Int) {
        self.own = own
        places = Array(repeating: Place(), count: shardCount)
    }

    /// Whether clients can be served.
    package func isServed(_ shard: Int) -> Bool { places[shard].source != nil }

    package func isReplica(_ shard: Int) -> Bool { places[shard].source == .replica }

    /// Whether outputs of this origin are to be taken.
    package func takes(_ source: OutputSource, _ shard: Int) -> Bool { places[shard].source == source }

    // MARK: Events

    /// A source gives a shard's state.
    /// - Returns: whether it is the shard's source from now on, and what follows from that.
    package mutating func restored(_ source: OutputSource, _ shard: Int, isLive: Bool) -> (isTaken: Bool, [Effect]) {
        switch source {
        case .replica:
            if isLive { places[shard].isLiveHere = true }
            guard isLive || places[shard].source == nil else { return (false, []) }
            places[shard].source = .replica
            return (true, isLive ? stopFollowing(shard) : [])
        case .peer(let node):
            guard places[shard].followed == node else { return (false, []) }
            places[shard].source = source
            return (true, [])
        }
    }

    /// The replica here does not fold the shard any more.
    package mutating func released(_ shard: Int, at now: Timestamp) -> [Effect] {
        places[shard].isLiveHere = false
        if places[shard].source == .replica { places[shard].source = nil }
        return choose(shard, at: now)
    }

    /// A peer does not give a shard, or (`nil`) nothing at all.
    package mutating func lost(_ node: NodeID, shard: Int?, at now: Timestamp) -> [Effect] {
        let concerned = shard.map { [$0] } ?? Array(places.indices)
        var effects: [Effect] = []
        for shard in concerned where places[shard].followed == node {
            places[shard].followed = nil
            if places[shard].source == .peer(node) { places[shard].source = nil }
            places[shard].refused[node] = Timestamp(
                microseconds: now.microseconds + ShardSources.retryMicroseconds)
            effects += choose(shard, at: now)
        }
        return effects
    }

    /// Shards that clients want; the others are let go.
    package mutating func want(_ shards: Set<Int>, at now: Timestamp) -> [Effect] {
        var effects: [Effect] = []
        for shard in places.indices where places[shard].isWanted != shards.contains(shard) {
            places[shard].isWanted.toggle()
            effects += places[shard].isWanted ? choose(shard, at: now) : stopFollowing(shard)
        }
        return effects
    }

    /// As `want`, for one more.
    package mutating func wantAlso(_ shard: Int, at now: Timestamp) -> [Effect] {
        places[shard].isWanted = true
        return choose(shard, at: now)
    }

    package mutating func changed(_ view: ClusterView, at now: Timestamp) -> [Effect] {
        self.view = view
        var effects: [Effect] = []
        for shard in places.indices {
            // It does not say any more that it has the shard live: another that does is better.
            if let node = places[shard].followed, !view.live(shard).contains(node),
                !candidates(shard, at: now).isEmpty
            {
                effects += stopFollowing(shard)
            }
            // It stays after all.
            if places[shard].isLiveHere, places[shard].source != .replica, !view.leaving.contains(shard) {
                effects.append(.announce(shard: shard))
            }
            effects += choose(shard, at: now)
        }
        return effects
    }

    /// To be called now and then: peers that refused are asked again.
    package mutating func tick(_ now: Timestamp) -> [Effect] { places.indices.flatMap { choose($0, at: now) } }

    // MARK: Choice

    private mutating func choose(_ shard: Int, at now: Timestamp) -> [Effect] {
        let place = places[shard]
        guard place.isWanted, place.followed == nil else { return [] }
        let stays = place.isLiveHere && !view.leaving.contains(shard)
        guard !stays, let node = candidates(shard, at: now).first else {
            return place.isLiveHere && place.source == nil ? [.announce(shard: shard)] : []
        }
        places[shard].followed = node
        return [.follow(node, shard: shard)]
    }

    private func candidates(_ shard: Int, at now: Timestamp) -> [NodeID] {
        view.live(shard).filter { node in
            node != own && places[shard].refused[node].map { $0 <= now } ?? true
        }
    }

    private mutating func stopFollowing(_ shard: Int) -> [Effect] {
        guard let node = places[shard].followed else { return [] }
        places[shard].followed = nil
        if places[shard].source == .peer(node) { places[shard].source = nil }
        return [.unfollow(node, shard: shard)]
    }
}
