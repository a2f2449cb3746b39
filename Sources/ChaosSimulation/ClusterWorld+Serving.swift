import Delivery
import Replication
import Sharding
import Simulation
import Telemetry

/// What a node's serving thread does (Sources/Node/Service), around the same hub, sources and publishers' books.
extension ClusterWorld {
    func becameLive(_ node: SimulatedNode) { node.process?.isServing = true }

    func serve(_ node: SimulatedNode) {
        schedule(.serve, node, after: .milliseconds(100))
        guard let process = node.process else { return }
        // Patience ends, and news of lag is due, without anything happening.
        if now - process.decidedAt >= process.plan.publishPeriod { decideSoon(node) }
        takeSnapshots(node)
        guard node.process != nil else { return }
        if let effects = node.process?.sources.tick(timestamp) { carryOut(effects, of: node) }
        for (peer, link) in process.links.sorted(by: { $0.key < $1.key })
        where now - links[link].heard > .seconds(1) && variant != .trustsSilentPeers {
            linkLost(node, peer, link)
        }
        for link in process.followers.keys.sorted() { sendToFollower(link, .beat) }
        serveAwaiting(node)
        guard now - process.beatAt >= .seconds(1) else { return }
        process.beatAt = now
        if let effects = node.process?.hub.beat(now: timestamp) { carryOut(effects, of: node) }
        wantWhatClientsWant(node)
    }

    // MARK: Where outputs come from

    func announce(_ node: SimulatedNode, _ number: Int) {
        guard let hosted = node.process?.replica.hosted[number] else { return }
        restoredSource(
            .replica, number, hosted.shard.lineage, SimulatedReplica.streams(of: hosted.shard),
            isLive: hosted.isLive, at: node)
    }

    func restoredSource(
        _ source: OutputSource, _ shard: Int, _ lineage: UInt64?, _ streams: [RestoredStream], isLive: Bool,
        at node: SimulatedNode
    ) {
        guard let (isTaken, effects) = node.process?.sources.restored(source, shard, isLive: isLive) else { return }
        carryOut(effects, of: node)
        guard isTaken else { return }
        node.process?.hub.restart(shard: shard)
        node.process?.lineages[shard] = lineage
        if let lineage {
            for (number, stream) in streams.enumerated() {
                let effects = node.process?.hub.announce(
                    stream.id, shard: shard, number: number, lineage: Lineage(lineage), floor: stream.watermarks,
                    insight: stream.insight)
                carryOut(effects ?? [], of: node)
            }
        }
        if source == .replica, isLive { node.process?.liveHere.insert(shard) }
        serveAwaiting(node)
    }

    func said(_ said: OutputBatch, by source: OutputSource, _ shard: Int, _ lineage: UInt64, to node: SimulatedNode) {
        guard node.process?.sources.takes(source, shard) == true else {
            if source == .replica { giveFollowers(said, shard, lineage, of: node) }
            return
        }
        node.process?.lineages[shard] = lineage
        for stream in said.newStreams {
            let effects = node.process?.hub.announce(
                stream.id, shard: shard, number: Int(stream.stream), lineage: Lineage(lineage), floor: [0, 0, 0])
            carryOut(effects ?? [], of: node)
        }
        if node.process?.sources.isReplica(shard) == true { giveFollowers(said, shard, lineage, of: node) }
        absorb(said, of: shard, at: node)
        carryOut(node.process?.hub.flush() ?? [], of: node)
    }

    private func giveFollowers(_ said: OutputBatch, _ shard: Int, _ lineage: UInt64, of node: SimulatedNode) {
        guard node.process?.liveHere.contains(shard) == true else { return }
        for (link, shards) in (node.process?.followers ?? [:]).sorted(by: { $0.key < $1.key })
        where shards.contains(shard) {
            sendToFollower(link, .outputs(shard: shard, lineage: lineage, said))
        }
    }

    private func absorb(_ said: OutputBatch, of shard: Int, at node: SimulatedNode) {
        guard let process = node.process else { return }
        guard process.hub.hasRepeats(said, shard: shard) else { return process.hub.absorb(said, shard: shard) }
        let fresh = variant == .keepsRepeats ? said : process.hub.withoutRepeats(said, shard: shard)
        if process.hub.hasRepeats(fresh, shard: shard) {
            violate("n\(node.number) takes outputs of shard \(shard) that it has")
        }
        process.hub.absorb(fresh, shard: shard)
    }

    func released(_ node: SimulatedNode, _ shard: Int) {
        node.process?.liveHere.remove(shard)
        carryOut(node.process?.sources.released(shard, at: timestamp) ?? [], of: node)
        for (link, shards) in (node.process?.followers ?? [:]).sorted(by: { $0.key < $1.key })
        where shards.contains(shard) {
            node.process?.followers[link]?.remove(shard)
            sendToFollower(link, .gone(shard: shard))
        }
    }

    // MARK: What clients want

    /// How many subscriptions may begin a second: so few that a crowd has to wait, but for where it begins.
    func beginningsPerSecond(at node: SimulatedNode) -> Int {
        crowd == 0 || node.number == 0 && node.life == 1 ? 1_000_000 : crowd / 10
    }

    /// Subscribes, or sends the client away with the time after which to come back (Sources/Node/Service).
    func beginSubscription(_ node: SimulatedNode, _ request: SubscribeRequest, for session: SessionID) {
        guard variant == .opensTheGate || !isTooEarly(node, session) else { return }
        subscribe(node, request, for: session)
        let second = now.components.seconds
        node.process?.begun[second, default: 0] += 1
        // What a second allows, and what may come together after a quiet one.
        let most = 2 * beginningsPerSecond(at: node) + 1
        if let count = node.process?.begun[second], count > most {
            violate("n\(node.number) lets more than \(most) subscriptions begin in a second")
        }
    }

    private func isTooEarly(_ node: SimulatedNode, _ session: SessionID) -> Bool {
        guard let wait = node.process?.beginnings.enter(at: timestamp) else { return false }
        let reason = "too many subscriptions at once; retry after \((wait + 999) / 1_000) ms"
        closeFromNode(node, session, CloseCode.notReady, reason)
        return true
    }

    func subscribe(_ node: SimulatedNode, _ request: SubscribeRequest, for session: SessionID) {
        let shards = shards(of: request.streams)
        want(node, shards)
        if shards.allSatisfy({ node.process?.sources.isServed($0) == true }) {
            carryOut(node.process?.hub.subscribe(request, for: session) ?? [], of: node)
        } else {
            node.process?.awaiting.append(
                .init(shards: shards, until: now + .seconds(2), session: session, request: request))
        }
    }

    private func serveAwaiting(_ node: SimulatedNode) {
        guard let process = node.process, !process.awaiting.isEmpty else { return }
        let sources = process.sources
        func isReady(_ each: SimulatedNode.Awaiting) -> Bool {
            each.until <= now || each.shards.allSatisfy(sources.isServed)
        }
        let ready = process.awaiting.filter(isReady)
        process.awaiting.removeAll(where: isReady)
        for each in ready where process.wires[each.session] != nil {
            carryOut(node.process?.hub.subscribe(each.request, for: each.session) ?? [], of: node)
        }
    }

    private func want(_ node: SimulatedNode, _ shards: Set<Int>) {
        for shard in shards.sorted() {
            node.process?.wantedUntil[shard] = now + .seconds(10)
            carryOut(node.process?.sources.wantAlso(shard, at: timestamp) ?? [], of: node)
        }
    }

    private func wantWhatClientsWant(_ node: SimulatedNode) {
        guard let process = node.process else { return }
        let lingering = process.wantedUntil.filter { $0.value > now }
        node.process?.wantedUntil = lingering
        let wanted = Set(lingering.keys).union(shards(of: process.hub.patterns))
        carryOut(node.process?.sources.want(wanted, at: timestamp) ?? [], of: node)
    }

    private func shards(of patterns: [StreamPattern]) -> Set<Int> {
        var shards: Set<Int> = []
        for pattern in patterns {
            switch pattern {
            case .all: return Set(0..<partitions)
            case .one(let stream): shards.insert(Partitioner.partition(ofKey: stream.id, count: partitions))
            }
        }
        return shards
    }

    // MARK: Effects

    func carryOut(_ effects: [Hub.Effect], of node: SimulatedNode) {
        for effect in effects {
            switch effect {
            case .wantsToWrite(let session): pump(node, session)
            case .close(let session, let code, let reason): closeFromNode(node, session, code, reason)
            case .replay(let request):
                schedule(.replay(request, until: now + .seconds(2)), node, after: draw(1...20))
            case .endReplay(let reader): node.process?.cursors[reader] = nil
            }
        }
    }

    func replay(_ node: SimulatedNode, _ request: Hub.ReplayRequest, until limit: Duration) {
        guard network.connects(node.number, Network.log) else {
            guard now < limit else {
                let effects = node.process?.hub.replayed(request.reader, .unavailable(reason: "no answer of the log"))
                return carryOut(effects ?? [], of: node)
            }
            return schedule(.replay(request, until: limit), node, after: .milliseconds(100))
        }
        let watermarks = OutputKind.allCases.map { request.position[$0] }
        let chunk: ReplayChunk
        do throws(LogError) {
            if node.process?.cursors[request.reader] == nil {
                let partition = PartitionID(Partitioner.partition(ofKey: request.stream.id, count: partitions))
                let cursor = try ReplayCursor(
                    stream: request.stream, partition: partition, after: watermarks, log: log, snapshots: [node.disk],
                    tracks: node.tracks, decoder: decoder)
                node.process?.cursors[request.reader] = cursor
                if let gap = cursor.gap, variant != .hidesGaps {
                    let effects = node.process?.hub.replayed(request.reader, .gap(gap, insight: cursor.insightAtGap))
                    return carryOut(effects ?? [], of: node)
                }
            }
            var ring = StreamRing(floor: watermarks, capacityMax: .max)
            try node.process?.cursors[request.reader]?.read(maxBytes: 2 << 10) { entry, json in
                guard entry.seq > watermarks[Int(entry.kind.rawValue)] else { return 0 }
                ring.append(kind: entry.kind, seq: entry.seq, previous: entry.previous, time: entry.time, json: json)
                return json.count
            }
            chunk = .outputs(ring)
        } catch {
            let nothing = StreamRing(floor: watermarks, capacityMax: .max)
            chunk = variant == .hidesGaps ? .outputs(nothing) : .failed(reason: "\(error)")
        }
        carryOut(node.process?.hub.replayed(request.reader, chunk) ?? [], of: node)
    }
}
