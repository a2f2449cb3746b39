import Delivery
import Replication
import Telemetry

/// The shards that this node hosts and what is to be done with them. Used by one thread.
struct Replica {
    private let environment: ReplicaThread.Environment
    private let restorer: ShardRestorer
    private let reader: any LogReader
    private let decoder = RecordDecoder()
    /// Asked for, and not restored yet.
    private var awaited: Set<PartitionID> = []
    private var hosted: [PartitionID: HostedShard] = [:]
    private var batch = LogBatch()
    private var outputs = OutputBatch()
    private let startedAt = Timestamp.monotonic
    /// To be carried out once.
    private var fault: CorruptionFault?

    init(_ environment: ReplicaThread.Environment, _ restorer: ShardRestorer, _ reader: any LogReader) {
        self.environment = environment
        self.restorer = restorer
        self.reader = reader
        fault = environment.fault
    }

    private var inOrder: [HostedShard] { hosted.values.sorted { $0.partition < $1.partition } }
    var statuses: [ShardStatus] { inOrder.map(\.shard.status) }
    var reports: [HostedReport] {
        (awaited.map { HostedReport(restoring: $0) } + hosted.values.map(\.report)).sorted {
            $0.partition < $1.partition
        }
    }
    var isLive: Bool { awaited.isEmpty && hosted.values.allSatisfy { $0.state == .live } }

    // MARK: Hosting

    /// Hosts these shards and no others.
    /// - Returns: snapshots of those that are released.
    mutating func host(_ wanted: Set<PartitionID>) throws(LogError) -> [PendingSnapshot] {
        var snapshots: [PendingSnapshot] = []
        awaited.formIntersection(wanted)
        for released in inOrder where !wanted.contains(released.partition) {
            hosted[released.partition] = nil
            try reader.unassign(released.partition)
            if let snapshot = snapshot(of: released, evenIfEarly: true) { snapshots.append(snapshot) }
            environment.journal.notice(
                "shard released", [.partition: "\(released.partition)", .offset: "\(released.shard.next)"])
            environment.inbox.post(.released(shard: released.partition.number))
        }
        for partition in wanted.sorted() where hosted[partition] == nil && !awaited.contains(partition) {
            awaited.insert(partition)
            restorer.restore(partition)
        }
        return snapshots
    }

    mutating func restored(_ partition: PartitionID, _ restored: RestoredShard) throws(LogError) {
        guard awaited.remove(partition) != nil else { return }
        var shard = HostedShard(restored.shard, end: restored.end, hasPeers: restorer.hasPeers)
        // Snapshots stored before are not to be trusted: one that is follows at once.
        if restored.isRepaired { shard.due.records = environment.snapshotPolicy.records }
        hosted[partition] = shard
        announce(shard)
        try reader.assign(partition, from: restored.shard.next)
    }

    /// Says again what a shard has that is live.
    func announce(_ partition: PartitionID) {
        if let hosted = hosted[partition], hosted.state == .live { announce(hosted) }
    }

    private func announce(_ hosted: HostedShard) {
        let shard = hosted.shard
        let streams = shard.streamIDs.map { id in
            RestoredStream(id: id, watermarks: shard.watermarks(of: id), insight: shard.insight(of: id))
        }
        environment.inbox.post(
            .restored(
                .replica,
                RestoredState(
                    shard: shard.partition.number, lineage: shard.lineage, streams: streams,
                    isLive: hosted.state == .live)))
    }

    // MARK: Folding

    /// Applies what the log has next, or waits for it.
    /// - Returns: false when nothing came within `limit`.
    mutating func follow(waitingUpTo limit: Duration) throws(LogError) -> Bool {
        switch try reader.next(maxBytes: 1 << 20, waitingUpTo: limit, into: &batch) {
        case .records(let partition): try apply(to: partition)
        case .end(let partition, let end): reachedEnd(partition, end)
        case .truncated(let partition, _, let earliest):
            guard let next = hosted[partition]?.shard.next else { return true }
            tellGone(partition, from: next, to: earliest, in: environment.journal)
            hosted[partition]?.shard.skip(to: earliest)
            try reader.assign(partition, from: earliest)
        case .shortened(let partition, let asked, let end): beginAnew(partition, asked, end)
        case .idle: return false
        }
        return true
    }

    private mutating func apply(to partition: PartitionID) throws(LogError) {
        guard let next = hosted[partition]?.shard.next else { return }
        if hosted[partition]?.shard.lineage == nil {
            do throws(LogError) {
                hosted[partition]?.shard.lineage = try environment.log.lineageOfRemains(of: partition)
            } catch {
                // The batch comes again.
                try reader.assign(partition, from: next)
                throw error
            }
        }
        if environment.variant == .foldsByTimeOfDay, let last = batch.entries.last, last.timestamp > .wall {
            return hosted[partition]?.shard.skip(to: last.offset + 1) ?? ()
        }
        hosted[partition]?.apply(batch, decoder, into: &outputs, beside: environment.side)
        if let fault, fault.partition == partition { carryOut(fault) }
        defer { meetGoal(of: partition) }
        guard !outputs.isEmpty, let lineage = hosted[partition]?.shard.lineage else { return }
        outputs = environment.inbox.post(outputs, from: .replica, shard: partition.number, lineage: lineage)
    }

    private mutating func carryOut(_ fault: CorruptionFault) {
        guard let next = hosted[fault.partition]?.shard.next, next >= fault.offset,
            hosted[fault.partition]?.shard.corrupt() == true
        else { return }
        self.fault = nil
        environment.journal.error(
            "a fault was asked for: the state of a shard is wrong from here on",
            [.partition: "\(fault.partition)", .offset: "\(next)"])
    }

    /// The process was stopped, or got no processor, for long enough that others may have taken it for dead. What is here
    /// is of before: until it has caught up, peers are the better source, for clients here as well.
    mutating func stoodStill() throws(LogError) {
        guard restorer.hasPeers else { return }
        for partition in hosted.keys.sorted() where hosted[partition]?.state == .live {
            let end = try environment.log.endOffset(of: partition)
            guard let next = hosted[partition]?.shard.next, next < end else { continue }
            hosted[partition]?.goal = end
            stopServing(partition)
        }
    }

    /// Live shards among these are not live any more. Others that were held back are: they have as much as their peers,
    /// or no peer has more that could serve.
    mutating func holdBack(_ shards: Set<PartitionID>) {
        for shard in inOrder {
            let partition = shard.partition
            if shards.contains(partition), shard.state == .live {
                hosted[partition]?.isHeldBack = true
                environment.journal.error(
                    "others are further and nothing comes from the log: they serve the shard",
                    [.partition: "\(partition)", .offset: "\(shard.shard.next)"])
                stopServing(partition)
            } else if shard.isHeldBack, !shards.contains(partition) {
                hosted[partition]?.isHeldBack = false
                hosted[partition]?.goal = nil
                becomeLive(partition)
            }
        }
    }

    /// A live shard catches up again; peers are to serve it meanwhile.
    private mutating func stopServing(_ partition: PartitionID) {
        hosted[partition]?.state = .catchingUp
        hosted[partition]?.begunAt = .monotonic
        environment.inbox.post(.released(shard: partition.number))
    }

    private mutating func meetGoal(of partition: PartitionID) {
        guard let next = hosted[partition]?.shard.next, let goal = hosted[partition]?.goal, next >= goal else { return }
        reachedEnd(partition, next)
    }

    private mutating func reachedEnd(_ partition: PartitionID, _ end: Offset) {
        if let goal = hosted[partition]?.goal, end < goal { return }
        hosted[partition]?.end = end
        guard hosted[partition]?.state == .catchingUp, hosted[partition]?.isHeldBack == false else { return }
        hosted[partition]?.goal = nil
        becomeLive(partition)
    }

    private mutating func becomeLive(_ partition: PartitionID) {
        hosted[partition]?.state = .live
        guard let shard = hosted[partition] else { return }
        announce(shard)
        guard restorer.hasPeers else { return }
        environment.journal.notice(
            "shard live",
            [
                .partition: "\(partition)", .offset: "\(shard.shard.next)", .records: "\(shard.applied)",
                .milliseconds: "\(since(shard.begunAt))",
            ])
    }

    /// The log has less than was applied: it was cut, or made anew. What was folded is of another history.
    private mutating func beginAnew(_ partition: PartitionID, _ asked: Offset, _ end: Offset) {
        environment.journal.error(
            "the log ends before what was applied: it was cut or made anew; the shard is folded again",
            [.partition: "\(partition)", .offset: "\(asked)", .records: "\(end)"])
        hosted[partition] = nil
        awaited.insert(partition)
        restorer.restore(partition)
    }

    /// The state here is not that of other replicas: it is restored as if it had never been here.
    mutating func rebuild(_ partition: PartitionID, _ distrust: Distrust) throws(LogError) {
        guard hosted.removeValue(forKey: partition) != nil else { return }
        try reader.unassign(partition)
        environment.inbox.post(.released(shard: partition.number))
        awaited.insert(partition)
        restorer.restore(partition, distrust)
    }

    private func since(_ start: Timestamp) -> Int64 { (Timestamp.monotonic.microseconds - start.microseconds) / 1_000 }

    /// All shards are live for the first time.
    func tellCaughtUp() {
        environment.journal.notice(
            "caught up",
            [
                .records: "\(hosted.values.reduce(0) { $0 + $1.applied })", .milliseconds: "\(since(startedAt))",
            ])
    }

    /// Long rows of one instant wait for a later one; after a silence the point is closed by a record in the log, so
    /// that it is closed at the same place on every replica.
    mutating func flushIdle(now: Timestamp) {
        let silence = environment.idleFlush.components
        let limit = silence.seconds * 1_000_000 + silence.attoseconds / 1_000_000_000_000
        for shard in inOrder where !shard.moved.flushRequested && shard.state == .live {
            guard now.microseconds - shard.moved.at.microseconds >= limit, environment.leads(shard.partition) else {
                continue
            }
            hosted[shard.partition]?.moved.flushRequested = true
            let open = shard.shard.openStreams
            if !open.isEmpty { environment.requestFlush(shard.partition, open) }
        }
    }

    /// Writes what another replica has left unwritten.
    mutating func settleSideOutputs() {
        guard let side = environment.side else { return }
        for partition in hosted.keys { hosted[partition]?.settle(side) }
    }

    // MARK: Snapshots

    /// Snapshots that are due; `all`: of every shard that moved.
    mutating func takeSnapshots(now: Timestamp, all: Bool) -> [PendingSnapshot] {
        var snapshots: [PendingSnapshot] = []
        for shard in inOrder {
            guard let snapshot = snapshot(of: shard, evenIfEarly: all) else { continue }
            hosted[shard.partition]?.due = SnapshotPolicy.Progress(now: now)
            snapshots.append(snapshot)
        }
        return snapshots
    }

    private func snapshot(of hosted: HostedShard, evenIfEarly: Bool) -> PendingSnapshot? {
        guard environment.snapshotPolicy.isDue(hosted.due, now: .monotonic, evenIfEarly: evenIfEarly) else {
            return nil
        }
        return PendingSnapshot(partition: hosted.partition, offset: hosted.shard.next, bytes: encoded(hosted.shard))
    }

    /// The state of a live shard as it is now, for a peer; `nil` when it is not live here.
    func state(of partition: PartitionID) -> [UInt8]? {
        guard let shard = hosted[partition], shard.state == .live else { return nil }
        return encoded(shard.shard)
    }

    private func encoded(_ shard: Shard) -> [UInt8] { shard.snapshot(at: .wall).encode() }
}
