import Delivery
import Replication
import Sharding
import Simulation
import Telemetry

/// Nodes that follow each other's shards (Sources/Node/Cluster/PeerFollower).
extension ClusterWorld {
    func carryOut(_ effects: [ShardSources.Effect], of node: SimulatedNode) {
        for effect in effects {
            switch effect {
            case .follow where variant == .followsNobody: break
            case .follow(let peer, let shard): sendToFollowed(link(from: node, to: peer), .follow(shard))
            case .unfollow(let peer, let shard):
                if let link = node.process?.links[peer] { sendToFollowed(link, .unfollow(shard)) }
            case .announce(let shard):
                if node.process?.replica.hosted[shard]?.isLive == true { announce(node, shard) }
            }
        }
    }

    private func link(from node: SimulatedNode, to peer: NodeID) -> Int {
        if let link = node.process?.links[peer] { return link }
        let place = placeOf[peer] ?? 0
        links.append(PeerLink(from: node, to: nodes[place], at: now))
        let number = links.count - 1
        node.process?.links[peer] = number
        if nodes[place].process == nil {
            links[number].isDead = true
            schedule(.linkLost(peer, link: number), node, after: network.delay(using: &random) * 2)
        }
        return number
    }

    private func sendToFollowed(_ number: Int, _ message: LinkMessage) {
        let due = links[number].toNode.send(message, at: now + network.delay(using: &random))
        queue.add(.link(number, toFollower: false), at: due)
    }

    func sendToFollower(_ number: Int, _ message: LinkMessage) {
        let due = links[number].toFollower.send(message, at: now + network.delay(using: &random))
        queue.add(.link(number, toFollower: true), at: due)
    }

    /// What has arrived is handled; what cannot pass waits.
    func moveLink(_ number: Int, toFollower: Bool) {
        let link = links[number]
        let (from, to) = toFollower ? (link.node, link.follower) : (link.follower, link.node)
        let target = nodes[to]
        guard !link.isDead, target.process != nil,
            target.life == (toFollower ? link.followerLife : link.life)
        else { return }
        guard network.connects(from, to), !target.isPaused else {
            queue.add(.link(number, toFollower: toFollower), at: now + .milliseconds(50))
            return
        }
        if toFollower {
            while let message = links[number].toFollower.take(until: now) { heard(message, on: number, at: target) }
        } else {
            while let message = links[number].toNode.take(until: now) { asked(message, on: number, at: target) }
        }
    }

    private func asked(_ message: LinkMessage, on number: Int, at node: SimulatedNode) {
        switch message {
        case .follow(let shard):
            guard node.process?.liveHere.contains(shard) == true, node.process?.sources.isReplica(shard) == true else {
                return sendToFollower(number, .gone(shard: shard))
            }
            node.process?.followers[number, default: []].insert(shard)
            let byPlace = node.process?.hub.byPlace ?? []
            let streams = byPlace.indices.contains(shard) ? byPlace[shard] : []
            sendToFollower(
                number,
                .restored(
                    shard: shard, lineage: node.process?.lineages[shard],
                    streams: streams.map { RestoredStream(id: $0.id, watermarks: $0.ring.latest, insight: $0.insight) })
            )
        case .unfollow(let shard): node.process?.followers[number]?.remove(shard)
        case .restored, .outputs, .gone, .beat: break
        }
    }

    private func heard(_ message: LinkMessage, on number: Int, at node: SimulatedNode) {
        let peer = nodes[links[number].node].id
        guard node.process?.links[peer] == number else { return }
        links[number].heard = now
        switch message {
        case .restored(let shard, let lineage, let streams):
            restoredSource(.peer(peer), shard, lineage, streams, isLive: true, at: node)
        case .outputs(let shard, let lineage, let outputs):
            said(outputs, by: .peer(peer), shard, lineage, to: node)
        case .gone(let shard): carryOut(node.process?.sources.lost(peer, shard: shard, at: timestamp) ?? [], of: node)
        case .beat, .follow, .unfollow: break
        }
    }

    func linkLost(_ node: SimulatedNode, _ peer: NodeID, _ link: Int) {
        guard node.process?.links[peer] == link else { return }
        node.process?.links[peer] = nil
        links[link].isDead = true
        let followed = nodes[links[link].node]
        if followed.life == links[link].life { followed.process?.followers[link] = nil }
        carryOut(node.process?.sources.lost(peer, shard: nil, at: timestamp) ?? [], of: node)
    }
}
