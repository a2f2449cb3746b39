import Delivery
import JSON
import Replication
import struct Sharding.NodeID
import Storage
import Telemetry
import Web

/// The thread that serves clients: sockets and requests on one side, hub, feed and gateway on the other.
///
/// It decides nothing about streams; it carries events to the pure parts and their effects to the sockets. All of it
/// runs on the web server's thread, so nothing is locked.
final class Service: WebHandler {
    let node: ServiceContext
    var hub: Hub
    var feed: RealtimeFeed
    var recent: RecentPoints
    let gateway: Gateway
    var beginnings: BeginningsGate
    var metrics = ServiceMetrics()
    private let parser = JSONParser()
    var sockets: [SessionID: ServerSocket] = [:]
    /// Requests whose answer another thread makes.
    var exchanges: [UInt64: HTTPExchange] = [:]
    private var appends: [UInt64: (Result<[Offset], LogError>) -> Void] = [:]
    private var nextToken: UInt64 = 1
    var publishers: [SessionID: PublisherSessions] = [:]
    /// By connection and source: the way to the log that keeps their order.
    var lanes: [SessionID: [String: AppendLane]] = [:]
    /// What clients were told of other nodes, as a hash, and whether that has changed for some.
    var nodesTold: [SessionID: UInt64] = [:]
    var nodesChanged = false
    /// Publishers that were told to go to another node, for the log does not answer here.
    var publishersSentAway: Set<SessionID> = []
    /// All shards have caught up.
    private(set) var isLive = false
    /// Clients are told to go elsewhere, and no more are taken.
    var isDraining = false
    private var flushedAt = Timestamp.monotonic
    private var beatAt = Timestamp.monotonic
    private var wantedAt = Timestamp.monotonic
    private var needsFlush = false
    let pages: StaticPages
    var sources: ShardSources
    /// Shards that the replica here has live, and what their logs are.
    var liveHere: Set<Int> = []
    var lineages: [Int: UInt64] = [:]
    /// Nodes that follow shards here.
    var followers: [SessionID: FollowerSession] = [:]
    var view = ClusterView()
    /// Shards that requests have asked for, until when.
    var wantedUntil: [Int: Timestamp] = [:]
    var awaiting: [Awaiting] = []
    /// Shards that the replica here has live, and that a peer still gives until clients have as much.
    var held: [Int: HeldReplica] = [:]

    init(_ node: ServiceContext) {
        self.node = node
        sources = ShardSources(own: NodeID(node.config.nodeID), shardCount: node.config.partitions)
        var limits = Hub.Limits()
        let beat = node.config.heartbeatMilliseconds
        limits.beatsAheadMax = node.follower == nil ? 0 : max(1, Service.aheadMilliseconds / beat)
        limits.beatsWhileBusy = max(1, Service.busyHeartbeatMilliseconds / beat)
        limits.ringBytes = node.config.ringBytes
        limits.ringBytesTotal = node.config.ringBytesTotal
        hub = Hub(limits: limits)
        var feedLimits = RealtimeFeed.Limits()
        feedLimits.insightsMicroseconds = Int64(node.config.batchMilliseconds) * 1_000
        feedLimits.lagBytes = node.config.realtimeLagBytes
        feed = RealtimeFeed(limits: feedLimits)
        recent = RecentPoints(capacity: node.config.recentPoints)
        gateway = Gateway(partitions: node.config.partitions)
        beginnings = BeginningsGate(perSecond: node.config.resumesPerSecond)
        pages = StaticPages(root: node.config.webRoot)
    }

    // MARK: Sockets

    func opened(_ socket: ServerSocket) {
        let id = SessionID(socket.id)
        if socket.path == PeerMessage.path {
            sockets[id] = socket
            followers[id] = FollowerSession()
            return
        }
        guard isLive, !isDraining else {
            return socket.close(code: CloseCode.notReady, reason: isDraining ? "draining" : "catching up with the log")
        }
        sockets[id] = socket
        guard socket.path == node.config.realtimePath else { return hub.open(id, now: .monotonic) }
        feed.open(id)
        for shard in 0..<node.config.partitions where sources.isServed(shard) { feed.follow(shard) }
        want(Set(0..<node.config.partitions))
    }

    func closed(_ socket: ServerSocket) {
        let id = SessionID(socket.id)
        guard sockets.removeValue(forKey: id) != nil else { return }
        publishers.removeValue(forKey: id)
        lanes.removeValue(forKey: id)
        publishersSentAway.remove(id)
        nodesTold.removeValue(forKey: id)
        followers.removeValue(forKey: id)
        feed.close(id)
        carryOut(hub.close(id))
        if isDraining, hub.sessionCount == 0 { node.departure.clientsAreGone() }
    }

    func received(_ message: UnsafeRawBufferPointer, isText: Bool, on socket: ServerSocket) {
        let id = SessionID(socket.id)
        guard sockets[id] != nil else { return }
        if socket.path == node.config.realtimePath { return receivedOnFeed(message, socket) }
        if socket.path == PeerMessage.path { return receivedFromFollower(message, socket) }
        do throws(ClientMessage.Violation) {
            switch try ClientMessage(message, parser: parser) {
            case .ping: carryOut(hub.send(ServerMessage.pong, to: id))
            case .subscribe(var request):
                if node.variant == .resumesFromLatest, case .positions = request.from { request.from = .latest }
                begin(request, for: id, on: socket)
            case .unsubscribe(let name): carryOut(hub.unsubscribe(name, for: id))
            case .publish(let source, let sequence, let records):
                publish(
                    UnsafeRawBufferPointer(rebasing: message[records]), Origin(source: source, sequence: sequence),
                    from: id)
            }
        } catch {
            metrics.violations += 1
            socket.close(code: CloseCode.protocolError, reason: String(error.description.prefix(100)))
        }
    }

    /// Pitwall's clients may ping; whatever else they say has no meaning here.
    private func receivedOnFeed(_ message: UnsafeRawBufferPointer, _ socket: ServerSocket) {
        guard message.count < 256, String(decoding: message, as: UTF8.self).contains("\"ping\"") else { return }
        socket.send(ServerMessage.pong.payload)
    }

    func writable(_ socket: ServerSocket) {
        let id = SessionID(socket.id)
        let now = Timestamp.monotonic
        if socket.path == PeerMessage.path { return writableToFollower(socket) }
        while !socket.isChoked {
            let frame: Frame?
            if socket.path == node.config.realtimePath {
                frame = feed.nextFrame(for: id)
            } else {
                let next = hub.nextFrame(for: id, now: now)
                carryOut(next.effects)
                frame = next.frame
            }
            guard let frame else { return }
            socket.send(frame.payload)
        }
        socket.requestWritable()
    }

    // MARK: Events of other threads

    func woken() {
        for event in node.inbox.take() { take(event) }
        flushSoon()
    }

    private func take(_ event: ServiceEvent) {
        switch event {
        case .restored(let source, let state): restored(source, state)
        case .outputs(.replica, let shard, let lineage, let outputs) where held[shard] != nil:
            held[shard]?.outputs.append((outputs, lineage))
        case .outputs(let source, let shard, let lineage, let outputs):
            guard sources.takes(source, shard) else {
                if source == .replica { giveFollowers(outputs, shard, lineage) }
                return node.inbox.recycle(outputs)
            }
            absorb(outputs, shard, lineage)
            if held[shard] != nil { takeHeld(shard, .monotonic) }
        case .released(let shard): released(shard)
        case .peerLost(let peer, let shard): carryOut(sources.lost(peer, shard: shard, at: .monotonic))
        case .cluster(let view):
            if self.view != view { nodesChanged = true }
            self.view = view
            carryOut(sources.changed(view, at: .monotonic))
            // What a peer has said lately is what clients will ask for that come from it.
            want(view.starting)
        case .live: isLive = true
        case .departing: sendClientsAway()
        case .failed: node.stop()
        case .appended(let token, let result): appends.removeValue(forKey: token)?(result)
        case .replayed(let reader, let chunk): carryOut(hub.replayed(reader, chunk))
        case .answer(let token, let response): exchanges.removeValue(forKey: token)?.respond(response)
        }
    }

    func absorb(_ said: OutputBatch, _ shard: Int, _ lineage: UInt64) {
        var outputs = said
        lineages[shard] = lineage
        for stream in outputs.newStreams {
            carryOut(
                hub.announce(
                    stream.id, shard: shard, number: Int(stream.stream), lineage: Lineage(lineage), floor: [0, 0, 0]))
        }
        if sources.isReplica(shard) { giveFollowers(outputs, shard, lineage) }
        takeIntoRings(&outputs, shard)
        show(outputs, shard)
        metrics.outputs += UInt64(outputs.entries.count)
        node.inbox.recycle(outputs)
    }

    /// - Parameter outputs: what was said here before is taken out.
    func takeIntoRings(_ outputs: inout OutputBatch, _ shard: Int) {
        if hub.hasRepeats(outputs, shard: shard) { outputs = hub.withoutRepeats(outputs, shard: shard) }
        hub.absorb(outputs, shard: shard)
        let streams = hub.byPlace[shard]
        recent.absorb(outputs) { streams[Int($0)] }
        needsFlush = true
    }

    /// Gives it to those who watch everything.
    func show(_ outputs: OutputBatch, _ shard: Int) {
        let streams = hub.byPlace[shard]
        if feed.absorb(outputs, streams: { streams[Int($0)] }, now: .monotonic) { wakeFeed() }
    }

    // MARK: Time

    /// New outputs go out at once, unless others did a moment ago: under load a frame then holds many points. The timer
    /// knows milliseconds only, so what waits for it waits that long.
    private func flushSoon() {
        guard needsFlush else { return }
        let waited = Timestamp.monotonic.microseconds - flushedAt.microseconds
        if waited >= Service.coalescingMicroseconds { flush() } else { arm() }
    }

    private func flush() {
        needsFlush = false
        flushedAt = .monotonic
        carryOut(hub.flush())
    }

    func timer() {
        let now = Timestamp.monotonic
        if needsFlush { flush() }
        if feed.tick(now: now, wall: .wall) { wakeFeed() }
        tickCluster(now)
        if now.microseconds - beatAt.microseconds >= Int64(node.config.heartbeatMilliseconds) * 1_000 {
            beatAt = now
            carryOut(hub.beat(now: now))
            if !view.standing.isEmpty { sendPublishersAway() }
        }
        if now.microseconds - wantedAt.microseconds >= 1_000_000 {
            wantedAt = now
            wantWhatClientsWant(now)
            tellNodesIfChanged()
        }
        arm()
    }

    /// Sets the one timer there is.
    func arm() { node.setTimer(needsFlush ? Service.coalescingMicroseconds : Service.tickMicroseconds) }

    private static let coalescingMicroseconds: Int64 = 250
    /// How long a replica has to come to where a client was at another before the log itself must have lost that.
    private static let aheadMilliseconds = 5_000
    private static let busyHeartbeatMilliseconds = 1_000
    private static let tickMicroseconds: Int64 = 50_000

    // MARK: Effects

    func carryOut(_ effects: [Hub.Effect]) {
        for effect in effects {
            switch effect {
            case .wantsToWrite(let id): sockets[id]?.requestWritable()
            case .close(let id, let code, let reason): sockets[id]?.close(code: code, reason: reason)
            case .replay(let request): replay(request)
            case .endReplay(let reader): node.replays.forget(reader)
            }
        }
    }

    private func replay(_ request: Hub.ReplayRequest) {
        let inbox = node.inbox
        let position = request.position
        let unavailable = ReplayChunk.unavailable(reason: "the log does not answer here")
        // It would be found out by waiting, for as long as the log's client waits.
        if view.standing.contains(shard(of: request.stream)) {
            return inbox.post(.replayed(reader: request.reader, unavailable))
        }
        node.replays.read(
            request.reader,
            .init(
                stream: request.stream, watermarks: OutputKind.allCases.map { position[$0] }, time: request.time)
        ) { outcome in
            switch outcome {
            case .outputs(let ring): inbox.post(.replayed(reader: request.reader, .outputs(ring)))
            case .gap(let watermarks, let insight):
                inbox.post(.replayed(reader: request.reader, .gap(watermarks, insight: insight)))
            case .failed(let reason): inbox.post(.replayed(reader: request.reader, .failed(reason: reason)))
            case .unavailable: inbox.post(.replayed(reader: request.reader, unavailable))
            }
        }
    }

    private func wakeFeed() {
        for id in feed.clients { sockets[id]?.requestWritable() }
    }

    // MARK: The log

    /// Offers records to the log and calls `done` on this thread when they are durable.
    /// - Returns: false when too much waits for the log already.
    func append(
        _ records: [NewRecord], in lane: AppendLane? = nil, done: @escaping (Result<[Offset], LogError>) -> Void
    ) -> Bool {
        let token = takeToken()
        let inbox = node.inbox
        let isTaken = node.writer.offer(records, in: lane) { inbox.post(.appended(token, $0)) }
        guard isTaken else { return false }
        appends[token] = done
        return true
    }

    /// Counted each time, told once a minute: a full disk refuses thousands.
    func logFailed(_ error: LogError) {
        metrics.appendsFailed += 1
        let now = Timestamp.monotonic
        if let told = metrics.appendFailureTold, now.microseconds - told.microseconds < 60_000_000 { return }
        metrics.appendFailureTold = now
        node.journal.error("the log refuses records", [.reason: "\(error)"])
    }

    func takeToken() -> UInt64 {
        defer { nextToken += 1 }
        return nextToken
    }
}
