import Replication
import Telemetry

/// The shards that this node hosts and what is to be done with them. Used by one thread.
struct Replica {
    private let environment: ReplicaThread.Environment
    private let decoder = RecordDecoder()
    /// In the order of their partitions.
    private var hosted: [HostedShard] = []
    private var batch = LogBatch()
    private var outputs = OutputBatch()
    private let startedAt = Timestamp.monotonic

    init(_ environment: ReplicaThread.Environment) { self.environment = environment }

    var statuses: [ShardStatus] { hosted.filter { $0.state != .fetching }.map(\.shard.status) }
    var reports: [HostedReport] { hosted.map(\.report) }
    var isLive: Bool { hosted.allSatisfy { $0.state == .live } }

    // MARK: Hosting

    /// Hosts these shards and no others.
    /// - Returns: snapshots of those that are released.
    mutating func host(_ wanted: Set<PartitionID>) throws(LogError) -> [PendingSnapshot] {
        let released = hosted.filter { !wanted.contains($0.partition) }
        hosted.removeAll { !wanted.contains($0.partition) }
        for shard in released {
            environment.journal.notice(
                "shard released", [.partition: "\(shard.partition)", .offset: "\(shard.shard.next)"])
            environment.inbox.post(.released(shard: shard.partition.number))
        }
        for partition in wanted.sorted() where !hosted.contains(where: { $0.partition == partition }) {
            if let fetch = environment.fetchState {
                insert(HostedShard(Shard(partition: partition, tracks: environment.tracks), .fetching))
                fetch(partition)
            } else {
                try begin(partition, with: nil)
            }
        }
        return released.compactMap { snapshot(of: $0, evenIfEarly: true) }
    }

    private mutating func insert(_ shard: HostedShard) {
        hosted.removeAll { $0.partition == shard.partition }
        hosted.insert(shard, at: hosted.firstIndex { $0.partition > shard.partition } ?? hosted.count)
    }

    /// What a peer gave, or nothing: takes it or the newest intact snapshot, whichever is further.
    mutating func fetched(_ partition: PartitionID, _ bytes: [UInt8]?) throws(LogError) {
        guard hosted.contains(where: { $0.partition == partition && $0.state == .fetching }) else { return }
        try begin(partition, with: bytes)
    }

    private mutating func begin(_ partition: PartitionID, with bytes: [UInt8]?) throws(LogError) {
        let lineage = try environment.log.lineage(of: partition)
        let earliest = try environment.log.earliestOffset(of: partition)
        let end = try environment.log.endOffset(of: partition)
        let loader = ShardLoader(
            store: environment.snapshots, partition: partition, tracks: environment.tracks, lineage: lineage)
        var best = try loader.newest {
            $0.next <= end
        } skipped: { offset, reason in
            environment.journal.error(
                "snapshot skipped", [.partition: "\(partition)", .offset: "\(offset)", .reason: "\(reason)"])
        }
        if let fetched = bytes.flatMap({ decoded($0, of: partition, lineage) }), fetched.next > best?.next ?? .zero {
            best = fetched
        }
        var shard = best ?? Shard(partition: partition, tracks: environment.tracks)
        shard.lineage = lineage
        if shard.next < earliest { skip(&shard, to: earliest) }
        var hosted = HostedShard(shard, .catchingUp)
        hosted.end = end
        insert(hosted)
        announce(hosted)
    }

    private func decoded(_ bytes: [UInt8], of partition: PartitionID, _ lineage: UInt64?) -> Shard? {
        do throws(SnapshotError) {
            let snapshot = try Snapshot.decode(
                bytes, expecting: .init(engineVersion: Shard.engineVersion(environment.tracks), lineage: lineage))
            return try Shard(snapshot, partition: partition, tracks: environment.tracks)
        } catch {
            environment.journal.error("a peer's state skipped", [.partition: "\(partition)", .reason: "\(error)"])
            return nil
        }
    }

    /// Records are gone that no snapshot covers: say how many, and go on.
    private func skip(_ shard: inout Shard, to earliest: Offset) {
        environment.journal.error(
            "records are gone before they were applied",
            [
                .partition: "\(shard.partition)", .records: "\(earliest.value - shard.next.value)",
                .offset: "\(earliest)",
            ])
        shard.skip(to: earliest)
    }

    private func announce(_ hosted: HostedShard) {
        let shard = hosted.shard
        let streams = shard.streamIDs.map { id in
            RestoredStream(id: id, watermarks: shard.watermarks(of: id), insight: shard.insight(of: id))
        }
        environment.inbox.post(
            .restored(
                .replica, shard: shard.partition.number, lineage: shard.lineage, streams: streams,
                isLive: hosted.state == .live))
    }

    // MARK: Folding

    /// Applies some of what is in the log, of every shard about as much.
    /// - Returns: whether there was anything.
    mutating func follow() throws(LogError) -> Bool {
        var hasMoved = false
        for index in hosted.indices where hosted[index].state != .fetching {
            if try step(index) { hasMoved = true }
        }
        return hasMoved
    }

    private mutating func step(_ index: Int) throws(LogError) -> Bool {
        let partition = hosted[index].partition
        let next = hosted[index].shard.next
        hosted[index].end = try environment.log.endOffset(of: partition)
        guard hosted[index].end > next else {
            becomeLive(index)
            return false
        }
        do throws(LogError) {
            try environment.log.read(partition, from: next, maxBytes: 1 << 20, into: &batch)
        } catch {
            guard case .truncated(_, _, let earliest) = error else { throw error }
            skip(&hosted[index].shard, to: earliest)
            return true
        }
        guard !batch.entries.isEmpty else { return false }
        if hosted[index].shard.lineage == nil {
            hosted[index].shard.lineage = try environment.log.lineage(of: partition)
        }
        apply(to: index)
        return true
    }

    private mutating func becomeLive(_ index: Int) {
        guard hosted[index].state == .catchingUp else { return }
        hosted[index].state = .live
        announce(hosted[index])
        guard environment.fetchState != nil else { return }
        environment.journal.notice(
            "shard live",
            [
                .partition: "\(hosted[index].partition)", .offset: "\(hosted[index].shard.next)",
                .records: "\(hosted[index].applied)", .milliseconds: "\(since(hosted[index].begunAt))",
            ])
    }

    private func since(_ start: Timestamp) -> Int64 { (Timestamp.monotonic.microseconds - start.microseconds) / 1_000 }

    /// All shards are live for the first time.
    func tellCaughtUp() {
        environment.journal.notice(
            "caught up",
            [
                .records: "\(hosted.reduce(0) { $0 + $1.applied })", .milliseconds: "\(since(startedAt))",
            ])
    }

    private mutating func apply(to index: Int) {
        hosted[index].apply(batch, decoder, into: &outputs)
        guard !outputs.isEmpty, let lineage = hosted[index].shard.lineage else { return }
        outputs = environment.inbox.post(
            outputs, from: .replica, shard: hosted[index].partition.number, lineage: lineage)
    }

    /// Long rows of one instant wait for a later one; after a silence the point is closed by a record in the log, so
    /// that it is closed at the same place on every replica.
    mutating func flushIdle(now: Timestamp) {
        let silence = environment.idleFlush.components
        let limit = silence.seconds * 1_000_000 + silence.attoseconds / 1_000_000_000_000
        for index in hosted.indices where !hosted[index].moved.flushRequested && hosted[index].state == .live {
            guard now.microseconds - hosted[index].moved.at.microseconds >= limit else { continue }
            hosted[index].moved.flushRequested = true
            let open = hosted[index].shard.openStreams
            if !open.isEmpty { environment.requestFlush(hosted[index].partition, open) }
        }
    }

    // MARK: Snapshots

    /// Snapshots that are due; `all`: of every shard that moved.
    mutating func takeSnapshots(now: Timestamp, all: Bool) -> [PendingSnapshot] {
        hosted.indices.compactMap { index in
            guard let snapshot = snapshot(of: hosted[index], evenIfEarly: all) else { return nil }
            hosted[index].due = SnapshotPolicy.Progress(now: now)
            return snapshot
        }
    }

    private func snapshot(of hosted: HostedShard, evenIfEarly: Bool) -> PendingSnapshot? {
        guard environment.snapshotPolicy.isDue(hosted.due, now: .monotonic, evenIfEarly: evenIfEarly) else {
            return nil
        }
        return PendingSnapshot(partition: hosted.partition, offset: hosted.shard.next, bytes: encoded(hosted.shard))
    }

    /// The state of a live shard as it is now, for a peer; `nil` when it is not live here.
    func state(of partition: PartitionID) -> [UInt8]? {
        hosted.first { $0.partition == partition && $0.state == .live }.map { encoded($0.shard) }
    }

    private func encoded(_ shard: Shard) -> [UInt8] { shard.snapshot(at: .wall).encode() }
}
