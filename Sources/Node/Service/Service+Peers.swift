import Delivery
import JSON
import Replication
import enum Sharding.Partitioner
import Telemetry
import Web

/// A node that follows shards here, and what it is owed.
struct FollowerSession {
    /// What a follower that does not read may have waiting. It comes back and goes on with the shard as it is then.
    static let bytesMax = 64 << 20

    var shards: Set<Int> = []
    private(set) var queue: [Frame] = []
    private(set) var queuedBytes = 0

    mutating func add(_ frame: Frame) {
        queue.append(frame)
        queuedBytes += frame.count
    }

    mutating func next() -> Frame? {
        guard !queue.isEmpty else { return nil }
        let frame = queue.removeFirst()
        queuedBytes -= frame.count
        return frame
    }
}

/// A replica that is further than what clients were given by a peer: it waits, lest outputs had to come from the log.
struct HeldReplica {
    static let microsecondsMax: Int64 = 1_000_000

    let state: RestoredState
    let until: Timestamp
    var outputs: [(OutputBatch, lineage: UInt64)] = []
}

/// Something that can be done when shards are served here.
struct Awaiting {
    let shards: Set<Int>
    /// Then it is done with those that are.
    let until: Timestamp
    let body: () -> Void
}

// MARK: Where outputs come from

extension Service {
    func restored(_ source: OutputSource, _ state: RestoredState) {
        if source == .replica, state.isLive, isFurther(state) {
            held[state.shard] = HeldReplica(state: state, until: Service.later(HeldReplica.microsecondsMax))
        } else {
            use(source, state)
        }
    }

    private func use(_ source: OutputSource, _ state: RestoredState) {
        let shard = state.shard
        let (isTaken, effects) = sources.restored(source, shard, isLive: state.isLive)
        carryOut(effects)
        guard isTaken else { return }
        hub.restart(shard: shard)
        lineages[shard] = state.lineage
        if let lineage = state.lineage {
            for (number, stream) in state.streams.enumerated() {
                carryOut(
                    hub.announce(
                        stream.id, shard: shard, number: number, lineage: Lineage(lineage), floor: stream.watermarks,
                        insight: stream.insight))
            }
            var tail = state.tail
            if !tail.isEmpty { takeIntoRings(&tail, shard) }
            // Who watches everything from before has not seen what the source before did not get to say.
            if !tail.isEmpty, feed.follows(shard) { show(tail, shard) }
        }
        feed.follow(shard)
        if source == .replica, state.isLive {
            liveHere.insert(shard)
            nodesChanged = true
        }
        serveAwaiting(.monotonic)
    }

    /// Whether a switch to the replica now would skip something that a peer is about to say.
    private func isFurther(_ state: RestoredState) -> Bool {
        guard sources.isServed(state.shard), !sources.isReplica(state.shard) else { return false }
        return state.streams.contains { restored in
            guard let stream = hub.streams[restored.id] else { return true }
            return stream.lineage == state.lineage.map(Lineage.init)
                && zip(restored.watermarks, stream.ring.latest).contains { $0 > $1 }
        }
    }

    /// Switches to the replica here once clients have had from a peer what it had said when it became live.
    func takeHeld(_ shard: Int, _ now: Timestamp) {
        guard let replica = held[shard], replica.until <= now || !isFurther(replica.state) else { return }
        held[shard] = nil
        use(.replica, replica.state)
        for (outputs, lineage) in replica.outputs { absorb(outputs, shard, lineage) }
    }

    func released(_ shard: Int) {
        held[shard] = nil
        liveHere.remove(shard)
        nodesChanged = true
        carryOut(sources.released(shard, at: .monotonic))
        for (id, follower) in followers where follower.shards.contains(shard) {
            followers[id]?.shards.remove(shard)
            send(.gone(shard: shard), to: id)
        }
    }

    func carryOut(_ effects: [ShardSources.Effect]) {
        for effect in effects {
            switch effect {
            case .follow where node.variant == .followsNobody: break
            case .follow(let peer, let shard):
                let order = FollowOrder(shard: shard, streams: streams(of: shard))
                node.follower?.follow(peer, url: view.urls[peer], order)
            case .unfollow(let peer, let shard): node.follower?.unfollow(peer, shard: shard)
            case .announce(let shard): node.replica.announce(PartitionID(shard))
            }
        }
    }

    func tickCluster(_ now: Timestamp) {
        guard let follower = node.follower else { return }
        follower.tick(now)
        carryOut(sources.tick(now))
        for id in followers.keys { send(.beat, to: id) }
        for shard in held.keys.sorted() { takeHeld(shard, now) }
        serveAwaiting(now)
    }
}

// MARK: What clients want

extension Service {
    static let awaitMicroseconds: Int64 = 2_000_000
    private static let requestLinger: Int64 = 10_000_000

    func subscribe(_ request: SubscribeRequest, for id: SessionID) {
        if case .positions = request.from {
            // Who goes on knows its places, so shards that are not served yet hold up no others.
            want(shards(of: request.streams))
            carryOut(hub.subscribe(request, for: id))
            return tellNodes(id)
        }
        whenServed(shards(of: request.streams)) { [self] in
            guard sockets[id] != nil else { return }
            carryOut(hub.subscribe(request, for: id))
            tellNodes(id)
        }
    }

    /// Runs `body` when these shards are served here, which may be at once.
    func whenServed(_ shards: Set<Int>, _ body: @escaping () -> Void) {
        want(shards)
        guard !shards.allSatisfy(sources.isServed) else { return body() }
        awaiting.append(Awaiting(shards: shards, until: Service.later(Service.awaitMicroseconds), body: body))
    }

    fileprivate static func later(_ microseconds: Int64) -> Timestamp {
        Timestamp(microseconds: Timestamp.monotonic.microseconds + microseconds)
    }

    private func serveAwaiting(_ now: Timestamp) {
        guard !awaiting.isEmpty else { return }
        let ready = awaiting.filter { $0.until <= now || $0.shards.allSatisfy(sources.isServed) }
        awaiting.removeAll { $0.until <= now || $0.shards.allSatisfy(sources.isServed) }
        for each in ready { each.body() }
    }

    func want(_ shards: Set<Int>) {
        guard node.follower != nil else { return }
        let now = Timestamp.monotonic
        let until = Timestamp(microseconds: now.microseconds + Service.requestLinger)
        for shard in shards.sorted() {
            wantedUntil[shard] = until
            carryOut(sources.wantAlso(shard, at: now))
        }
    }

    func wantWhatClientsWant(_ now: Timestamp) {
        guard node.follower != nil else { return }
        wantedUntil = wantedUntil.filter { $0.value > now }
        var wanted = Set(wantedUntil.keys).union(shards(of: hub.patterns))
        if feed.clientCount > 0 { wanted = Set(0..<node.config.partitions) }
        carryOut(sources.want(wanted, at: now))
    }

    func shards(of patterns: [StreamPattern]) -> Set<Int> {
        var shards: Set<Int> = []
        for pattern in patterns {
            switch pattern {
            case .all: return Set(0..<node.config.partitions)
            case .one(let stream): shards.insert(shard(of: stream))
            }
        }
        return shards
    }

    func shard(of stream: StreamID) -> Int {
        Partitioner.partition(ofKey: Array(stream.id.utf8), count: node.config.partitions)
    }
}

// MARK: Followers

extension Service {
    func receivedFromFollower(_ message: UnsafeRawBufferPointer, _ socket: ServerSocket) {
        let id = SessionID(socket.id)
        let order = try? JSONValue.parse(message)
        let shards = 0..<node.config.partitions
        if let follow = order.flatMap({ FollowOrder($0) }), shards.contains(follow.shard) {
            carryOut(follow, of: id)
        } else if let shard = order?["unfollow"]?.int, shards.contains(shard) {
            followers[id]?.shards.remove(shard)
        } else {
            metrics.violations += 1
            socket.close(code: CloseCode.protocolError, reason: "follow or unfollow a shard in 0..<\(shards.count)")
        }
    }

    private func streams(of shard: Int) -> [HubStream] {
        hub.byPlace.indices.contains(shard) ? hub.byPlace[shard] : []
    }

    private func carryOut(_ order: FollowOrder, of id: SessionID) {
        let shard = order.shard
        // A replica that is about to go is followed to its end by those who do, and by nobody else.
        guard liveHere.contains(shard), sources.isReplica(shard) else { return send(.gone(shard: shard), to: id) }
        followers[id]?.shards.insert(shard)
        let message = PeerMessage.restored(
            shard: shard, lineage: lineages[shard], streams: streams(of: shard), toOneThatHas: order.has)
        send(message, to: id)
    }

    func giveFollowers(_ outputs: OutputBatch, _ shard: Int, _ lineage: UInt64) {
        let interested = followers.filter { $0.value.shards.contains(shard) }.keys
        guard !interested.isEmpty else { return }
        let frame = Frame(PeerMessage.outputs(shard: shard, lineage: lineage, outputs).encoded)
        for id in interested { send(frame, to: id) }
    }

    private func send(_ message: PeerMessage, to id: SessionID) { send(Frame(message.encoded), to: id) }

    private func send(_ frame: Frame, to id: SessionID) {
        guard let socket = sockets[id], let follower = followers[id] else { return }
        if follower.queue.isEmpty, socket.send(frame.payload, asText: false) { return }
        followers[id]?.add(frame)
        if follower.queuedBytes > FollowerSession.bytesMax {
            return socket.close(code: CloseCode.tooSlow, reason: "outputs are not being read; follow again")
        }
        socket.requestWritable()
    }

    func writableToFollower(_ socket: ServerSocket) {
        let id = SessionID(socket.id)
        while !socket.isChoked, let frame = followers[id]?.next() { socket.send(frame.payload, asText: false) }
        if followers[id]?.queue.isEmpty == false { socket.requestWritable() }
    }
}
