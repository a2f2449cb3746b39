import Replication
import Telemetry

/// The shards of one node and what is to be done with them. Used by one thread.
struct Replica {
    private let environment: ReplicaThread.Environment
    private let decoder = RecordDecoder()
    private var shards: [Shard]
    private var scratch: [FoldScratch]
    private var due: [SnapshotPolicy.Progress]
    private var batch = LogBatch()
    private var outputs = OutputBatch()
    /// When each shard last moved, and whether its open points were asked to be closed since.
    private var moved: [(at: Timestamp, flushRequested: Bool)]

    init(_ environment: ReplicaThread.Environment) {
        self.environment = environment
        let partitions = (0..<environment.log.partitionCount).map(PartitionID.init)
        shards = partitions.map { Shard(partition: $0, tracks: environment.tracks) }
        scratch = partitions.map { _ in FoldScratch() }
        due = partitions.map { _ in SnapshotPolicy.Progress(now: .monotonic) }
        moved = partitions.map { _ in (.monotonic, true) }
    }

    var statuses: [ShardStatus] { shards.map(\.status) }

    /// Takes the newest intact snapshot of each shard.
    mutating func restore() throws(LogError) {
        for index in shards.indices {
            let partition = shards[index].partition
            let lineage = try environment.log.lineage(of: partition)
            let loader = ShardLoader(
                store: environment.snapshots, partition: partition, tracks: environment.tracks, lineage: lineage)
            let earliest = try environment.log.earliestOffset(of: partition)
            let end = try environment.log.endOffset(of: partition)
            let restored = try loader.newest {
                $0.next <= end
            } skipped: { offset, reason in
                environment.journal.error(
                    "snapshot skipped", [.partition: "\(partition)", .offset: "\(offset)", .reason: "\(reason)"])
            }
            if let restored { shards[index] = restored }
            shards[index].lineage = lineage
            if shards[index].next < earliest { try skip(index, to: earliest) }
            announce(index)
        }
    }

    /// Records are gone that no snapshot covers: say how many, and go on.
    private mutating func skip(_ index: Int, to earliest: Offset) throws(LogError) {
        environment.journal.error(
            "records are gone before they were applied",
            [
                .partition: "\(index)", .records: "\(earliest.value - shards[index].next.value)",
                .offset: "\(earliest)",
            ])
        shards[index].skip(to: earliest)
    }

    private func announce(_ index: Int) {
        guard let lineage = shards[index].lineage else { return }
        let streams = shards[index].streamIDs.map { id in
            RestoredStream(
                id: id, watermarks: shards[index].watermarks(of: id), insight: shards[index].insight(of: id))
        }
        environment.inbox.post(.restored(shard: index, lineage: lineage, streams: streams))
    }

    /// Applies everything that is in the log by now.
    mutating func catchUp() throws(LogError) {
        let start = Timestamp.monotonic
        let before = shards.reduce(0) { $0 + $1.next.value }
        try follow()
        let records = shards.reduce(0) { $0 + $1.next.value } - before
        environment.journal.notice(
            "caught up",
            [
                .records: "\(records)",
                .milliseconds: "\((Timestamp.monotonic.microseconds - start.microseconds) / 1_000)",
            ])
    }

    mutating func follow() throws(LogError) {
        for index in shards.indices {
            let partition = shards[index].partition
            while try environment.log.endOffset(of: partition) > shards[index].next {
                try environment.log.read(partition, from: shards[index].next, maxBytes: 1 << 20, into: &batch)
                guard !batch.entries.isEmpty else { break }
                if shards[index].lineage == nil { shards[index].lineage = try environment.log.lineage(of: partition) }
                apply(to: index)
            }
        }
    }

    private mutating func apply(to index: Int) {
        shards[index].apply(batch, decoder: decoder, scratch: &scratch[index], into: &outputs)
        due[index].records += batch.entries.count
        moved[index] = (.monotonic, false)
        guard !outputs.isEmpty, let lineage = shards[index].lineage else { return }
        outputs = environment.inbox.post(outputs, shard: index, lineage: lineage)
    }

    /// Long rows of one instant wait for a later one; after a silence the point is closed by a record in the log, so
    /// that it is closed at the same place on every replica.
    mutating func flushIdle(now: Timestamp) {
        let silence = environment.idleFlush.components
        let limit = silence.seconds * 1_000_000 + silence.attoseconds / 1_000_000_000_000
        for index in shards.indices where !moved[index].flushRequested {
            guard now.microseconds - moved[index].at.microseconds >= limit else { continue }
            moved[index].flushRequested = true
            let open = shards[index].openStreams
            if !open.isEmpty { environment.requestFlush(open) }
        }
    }

    /// Snapshots that are due; `all`: of every shard that moved.
    mutating func takeSnapshots(now: Timestamp, all: Bool) -> [PendingSnapshot] {
        shards.indices.compactMap { index in
            guard environment.snapshotPolicy.isDue(due[index], now: now, evenIfEarly: all) else { return nil }
            due[index] = SnapshotPolicy.Progress(now: now)
            return PendingSnapshot(
                partition: shards[index].partition, offset: shards[index].next,
                bytes: shards[index].snapshot(at: .wall).encode())
        }
    }
}
