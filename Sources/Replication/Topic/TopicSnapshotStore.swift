import Synchronization
import Telemetry

/// Snapshots in a log of their own, for all nodes of a cluster: a compacted topic.
///
/// The leader of a shard writes its chunks, then the manifest that names where they are. Two that lead for a moment may
/// spoil a slot between them; that shows when it is read, and the other slot is whole. Calls block.
package final class TopicSnapshotStore: SnapshotStore {
    private struct State {
        var slots = SnapshotSlots()
        /// Per partition of the topic: how far its manifests are known.
        var known: [PartitionID: Offset] = [:]
    }

    private let log: any PartitionedLog
    private let source: String
    private let clock: @Sendable () -> Timestamp
    private let squeeze: @Sendable ([UInt8]) -> [UInt8]
    private let expand: @Sendable ([UInt8]) throws(SnapshotError) -> [UInt8]
    private let chunkBytesMax: Int
    private let damaged: @Sendable (PartitionID, SnapshotError) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - source: the telemetry topic; several may share a snapshot topic.
    ///   - clock: wall time, which makes each writing another generation.
    ///   - squeeze: compresses; `expand` undoes it.
    ///   - damaged: is told of manifests that cannot be read. Their slots count as empty.
    package init(
        _ log: any PartitionedLog, of source: String, clock: @escaping @Sendable () -> Timestamp,
        squeeze: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 },
        expand: @escaping @Sendable ([UInt8]) throws(SnapshotError) -> [UInt8] = { $0 },
        chunkBytesMax: Int = SnapshotChunks.bytesMax,
        damaged: @escaping @Sendable (PartitionID, SnapshotError) -> Void = { _, _ in }
    ) {
        self.log = log
        self.source = source
        self.clock = clock
        self.squeeze = squeeze
        self.expand = expand
        self.chunkBytesMax = chunkBytesMax
        self.damaged = damaged
    }

    /// Of the topic.
    private func place(of shard: PartitionID) -> PartitionID { PartitionID(shard.number % log.partitionCount) }

    // MARK: Writing

    package func save(_ bytes: [UInt8], of shard: PartitionID, at offset: Offset) throws(LogError) {
        try refresh(shard)
        let slot = state.withLock { $0.slots.next(of: shard) }
        let data = squeeze(bytes)
        let now = clock()
        let identity: Snapshot.Expectation
        do throws(SnapshotError) { identity = try Snapshot.identity(of: bytes) } catch {
            throw .io(reason: "\(error)")
        }
        var manifest = SnapshotManifest(
            of: data, offset: offset, generation: UInt64(bitPattern: now.microseconds),
            engineVersion: identity.engineVersion, lineage: identity.lineage)
        let chunks = SnapshotChunks.cut(data, generation: manifest.generation, bytesMax: chunkBytesMax)
        manifest.chunks = try log.append(
            chunks.enumerated().map { record(SnapshotKey(log: source, shard: shard, slot: slot, chunk: $0), $1, now) })
        guard manifest.chunks.allSatisfy({ $0 >= .zero }) else {
            throw .unavailable(reason: "the broker did not say where the snapshot's chunks are")
        }
        let key = SnapshotKey(log: source, shard: shard, slot: slot, chunk: nil)
        let at = try log.append([record(key, manifest.encode(), now)])
        guard let at = at.first, at >= .zero else { return }  // It is there, and found when the topic is read.
        state.withLock { state in
            state.slots.set(manifest, of: shard, slot: slot, at: at)
            // Nobody else has written meanwhile: there is nothing to be read again.
            let known = state.known[place(of: shard)]
            if known.map({ $0 + chunks.count == at }) ?? false { state.known[place(of: shard)] = at + 1 }
        }
    }

    private func record(_ key: SnapshotKey, _ value: [UInt8], _ now: Timestamp) -> NewRecord {
        NewRecord(partition: place(of: key.shard), key: key.bytes, value: value, timestamp: now)
    }

    // MARK: Reading

    package func offsets(of shard: PartitionID) throws(LogError) -> [Offset] {
        try refresh(shard)
        return state.withLock { $0.slots.newest(of: shard) }.map(\.manifest.offset)
    }

    package func load(_ shard: PartitionID, at offset: Offset) throws(LogError) -> [UInt8]? {
        try refresh(shard)
        let found = state.withLock { $0.slots.newest(of: shard) }.first { $0.manifest.offset == offset }
        guard let manifest = found?.manifest else { return nil }
        var chunks: [[UInt8]?] = []
        for chunk in manifest.chunks { chunks.append(try value(in: place(of: shard), at: chunk)) }
        do throws(SnapshotError) {
            return try expand(try SnapshotChunks.join(chunks, as: manifest))
        } catch { throw .corrupt(shard, at: offset, reason: "\(error)") }
    }

    /// What stands at this offset; `nil` when compaction or retention has removed it.
    private func value(in partition: PartitionID, at offset: Offset) throws(LogError) -> [UInt8]? {
        var batch = LogBatch()
        do throws(LogError) {
            try log.read(partition, from: offset, maxBytes: 1, into: &batch)
        } catch {
            if case .truncated = error { return nil }
            throw error
        }
        guard let entry = batch.entries.first, entry.offset == offset else { return nil }
        return entry.value.map { Array(batch.bytes[$0]) }
    }

    /// Reads what the topic has got since it was last looked at.
    private func refresh(_ shard: PartitionID) throws(LogError) {
        let partition = place(of: shard)
        var next = state.withLock { $0.known[partition] } ?? .zero
        let (earliest, end) = (try log.earliestOffset(of: partition), try log.endOffset(of: partition))
        // Made anew: what was known is of another topic.
        if next > end { state.withLock { $0.slots = SnapshotSlots() } }
        if next < earliest || next > end { next = earliest }
        var batch = LogBatch()
        while next < end {
            try log.read(partition, from: next, maxBytes: 4 << 20, into: &batch)
            guard let last = batch.entries.last else { break }
            for entry in batch.entries { note(entry, batch) }
            next = last.offset + 1
        }
        state.withLock { $0.known[partition] = next }
    }

    private func note(_ entry: LogBatch.Entry, _ batch: borrowing LogBatch) {
        guard let key = entry.key.flatMap({ SnapshotKey(batch.bytes[$0]) }), key.log == source, key.chunk == nil else {
            return
        }
        let manifest = entry.value.flatMap { decode(Array(batch.bytes[$0]), of: key.shard) }
        state.withLock { $0.slots.set(manifest, of: key.shard, slot: key.slot, at: entry.offset) }
    }

    private func decode(_ bytes: [UInt8], of shard: PartitionID) -> SnapshotManifest? {
        do throws(SnapshotError) { return try SnapshotManifest(bytes) } catch {
            damaged(shard, error)
            return nil
        }
    }
}
