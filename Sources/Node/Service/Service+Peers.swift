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

/// Something that can be done when shards are served here.
struct Awaiting {
    let shards: Set<Int>
    /// Then it is done with those that are.
    let until: Timestamp
    let body: () -> Void
}

// MARK: Where outputs come from

extension Service {
    func restored(
        _ source: OutputSource, _ shard: Int, _ lineage: UInt64?, _ streams: [RestoredStream], _ isLive: Bool,
        _ tail: OutputBatch
    ) {
        let (isTaken, effects) = sources.restored(source, shard, isLive: isLive)
        carryOut(effects)
        guard isTaken else { return }
        hub.restart(shard: shard)
        lineages[shard] = lineage
        if let lineage {
            for (number, stream) in streams.enumerated() {
                carryOut(
                    hub.announce(
                        stream.id, shard: shard, number: number, lineage: Lineage(lineage), floor: stream.watermarks,
                        insight: stream.insight))
            }
        }
        var tail = tail
        if lineage != nil, !tail.isEmpty { takeIntoRings(&tail, shard) }
        if source == .replica, isLive { liveHere.insert(shard) }
        serveAwaiting(.monotonic)
    }

    func released(_ shard: Int) {
        liveHere.remove(shard)
        carryOut(sources.released(shard, at: .monotonic))
        for (id, follower) in followers where follower.shards.contains(shard) {
            followers[id]?.shards.remove(shard)
            send(.gone(shard: shard), to: id)
        }
    }

    func carryOut(_ effects: [ShardSources.Effect]) {
        for effect in effects {
            switch effect {
            case .follow(let peer, let shard): node.follower?.follow(peer, url: view.urls[peer], shard: shard)
            case .unfollow(let peer, let shard): node.follower?.unfollow(peer, shard: shard)
            }
        }
    }

    func tickCluster(_ now: Timestamp) {
        guard let follower = node.follower else { return }
        follower.tick(now)
        carryOut(sources.tick(now))
        for id in followers.keys { send(.beat, to: id) }
        serveAwaiting(now)
    }
}

// MARK: What clients want

extension Service {
    static let awaitMicroseconds: Int64 = 2_000_000
    private static let requestLinger: Int64 = 10_000_000

    func subscribe(_ request: SubscribeRequest, for id: SessionID) {
        whenServed(shards(of: request.streams)) { [self] in
            guard sockets[id] != nil else { return }
            carryOut(hub.subscribe(request, for: id))
        }
    }

    /// Runs `body` when these shards are served here, which may be at once.
    func whenServed(_ shards: Set<Int>, _ body: @escaping () -> Void) {
        want(shards)
        guard !shards.allSatisfy(sources.isServed) else { return body() }
        let until = Timestamp(microseconds: Timestamp.monotonic.microseconds + Service.awaitMicroseconds)
        awaiting.append(Awaiting(shards: shards, until: until, body: body))
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
        if let shard = order?["follow"]?.int, shards.contains(shard) {
            follow(shard, id)
        } else if let shard = order?["unfollow"]?.int, shards.contains(shard) {
            followers[id]?.shards.remove(shard)
        } else {
            metrics.violations += 1
            socket.close(code: CloseCode.protocolError, reason: "follow or unfollow a shard in 0..<\(shards.count)")
        }
    }

    private func follow(_ shard: Int, _ id: SessionID) {
        guard liveHere.contains(shard) else { return send(.gone(shard: shard), to: id) }
        followers[id]?.shards.insert(shard)
        let streams = hub.byPlace.indices.contains(shard) ? hub.byPlace[shard] : []
        send(.restored(shard: shard, lineage: lineages[shard], streams: streams), to: id)
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
