import Replication
import Synchronization
import Telemetry
import Testing

private let shard = PartitionID(5)
private let source = "telemetry.chassis"

/// A snapshot whose size and offset are given.
private func snapshot(at offset: Int64, bytes: Int = 5_000) -> [UInt8] {
    Snapshot(
        engineVersion: 3, lineage: 7, offset: Offset(offset), time: Timestamp(milliseconds: offset), stateHash: 1,
        streams: [.init(name: "chassis/a", state: (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 7) })]
    ).encode()
}

/// A clock that goes on with each reading.
private func makeClock() -> @Sendable () -> Timestamp {
    let ticks = Ticks()
    return { Timestamp(microseconds: ticks.next()) }
}

private final class Ticks: Sendable {
    private let count = Atomic<Int64>(0)
    func next() -> Int64 { count.add(1, ordering: .relaxed).newValue }
}

private func makeStore(_ log: MemoryLog, clock: @escaping @Sendable () -> Timestamp) -> TopicSnapshotStore {
    TopicSnapshotStore(log, of: source, clock: clock, chunkBytesMax: 1_000)
}

/// The log as compaction leaves it: of each key the last record, at the offset it had.
private func compacted(_ log: MemoryLog) throws -> CompactedLog { try CompactedLog(log) }

@Suite struct TopicSnapshotTests {
    @Test func `chunks are cut below the limit and joined to the same bytes`() throws {
        for count in [0, 1, 979, 980, 981, 5_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let chunks = SnapshotChunks.cut(bytes, generation: 9, bytesMax: 1_000)
            #expect(chunks.allSatisfy { $0.count <= 1_000 })
            let manifest = SnapshotManifest(of: bytes, offset: Offset(1), generation: 9, engineVersion: 1, lineage: 2)
            #expect(try SnapshotChunks.join(chunks, as: manifest) == bytes)
        }
    }

    @Test func `a chunk that is missing, another's or changed is noticed`() throws {
        let bytes = snapshot(at: 1)
        let chunks = SnapshotChunks.cut(bytes, generation: 9, bytesMax: 1_000)
        let manifest = SnapshotManifest(of: bytes, offset: Offset(1), generation: 9, engineVersion: 1, lineage: 2)
        func error(_ change: (inout [[UInt8]?]) -> Void) -> SnapshotError? {
            var damaged: [[UInt8]?] = chunks
            change(&damaged)
            do throws(SnapshotError) { _ = try SnapshotChunks.join(damaged, as: manifest) } catch { return error }
            return nil
        }
        #expect(error { $0[2] = nil } == .torn(length: 1_960, expected: bytes.count))
        #expect(error { $0.removeLast() } == .torn(length: 4_900, expected: bytes.count))
        #expect(error { $0.swapAt(0, 1) } == .torn(length: 0, expected: bytes.count))
        #expect(error { $0[1] = SnapshotChunks.cut(bytes, generation: 8, bytesMax: 1_000)[1] } != nil)
        #expect(error { $0[1]?[500] ^= 1 } == .corrupt(reason: "the check sum of its chunks fails"))
    }

    @Test func `a manifest that is stored and read again is the same, and every flipped bit is noticed`() throws {
        var manifest = SnapshotManifest(of: [1, 2], offset: Offset(4), generation: 5, engineVersion: 6, lineage: nil)
        manifest.chunks = [Offset(10), Offset(12)]
        let bytes = manifest.encode()
        #expect(try SnapshotManifest(bytes) == manifest)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 4
            #expect(throws: SnapshotError.self) { try SnapshotManifest(damaged) }
        }
        for length in bytes.indices {
            #expect(throws: SnapshotError.self) { try SnapshotManifest(Array(bytes.prefix(length))) }
        }
    }

    @Test func `keys are read as they are written, and others are told from them`() {
        for chunk in [nil, 0, 17] {
            let key = SnapshotKey(log: source, shard: shard, slot: 1, chunk: chunk)
            #expect(SnapshotKey(key.bytes) == key)
        }
        for other in ["", "a/b", "t/x/0/manifest", "t/1/0/rest", "t/1/0/manifest/1", "t/-1/0/0"] {
            #expect(SnapshotKey(other.utf8) == nil, "\(other)")
        }
    }

    @Test func `the two newest snapshots of a shard are there for every node, the newest first`() throws {
        let log = MemoryLog(topic: "slipstream.snapshots", partitionCount: 3)
        let clock = makeClock()
        let (writer, reader) = (makeStore(log, clock: clock), makeStore(log, clock: clock))
        #expect(try reader.offsets(of: shard) == [])
        for offset in [10, 20, 30] as [Int64] {
            try writer.save(snapshot(at: offset), of: shard, at: Offset(offset))
            #expect(try reader.offsets(of: shard).first == Offset(offset))
        }
        #expect(try reader.offsets(of: shard) == [Offset(30), Offset(20)])
        #expect(try reader.load(shard, at: Offset(30)) == snapshot(at: 30))
        #expect(try reader.load(shard, at: Offset(20)) == snapshot(at: 20))
        #expect(try reader.load(shard, at: Offset(10)) == nil)
        #expect(try reader.offsets(of: PartitionID(2)) == [])
    }

    @Test func `compaction takes nothing that is needed`() throws {
        let log = MemoryLog(topic: "slipstream.snapshots", partitionCount: 3)
        let writer = makeStore(log, clock: makeClock())
        for offset in 1...7 { try writer.save(snapshot(at: Int64(offset)), of: shard, at: Offset(Int64(offset))) }
        let reader = TopicSnapshotStore(try compacted(log), of: source, clock: makeClock())
        #expect(try reader.offsets(of: shard) == [Offset(7), Offset(6)])
        for offset in [7, 6] as [Int64] { #expect(try reader.load(shard, at: Offset(offset)) == snapshot(at: offset)) }
    }

    @Test func `a writer that dies between chunks and manifest spoils one slot, and the other is whole`() throws {
        let log = MemoryLog(topic: "slipstream.snapshots", partitionCount: 3)
        let clock = makeClock()
        let writer = makeStore(log, clock: clock)
        for offset in [1, 2] as [Int64] { try writer.save(snapshot(at: offset), of: shard, at: Offset(offset)) }
        // The slot of offset 1 is next; of its chunks two are written.
        let chunks = SnapshotChunks.cut(snapshot(at: 3), generation: 99, bytesMax: 1_000).prefix(2)
        _ = try log.append(
            chunks.enumerated().map {
                NewRecord(
                    partition: PartitionID(2), key: SnapshotKey(log: source, shard: shard, slot: 0, chunk: $0).bytes,
                    value: $1, timestamp: clock())
            })
        let reader = TopicSnapshotStore(try compacted(log), of: source, clock: clock)
        #expect(try reader.load(shard, at: Offset(2)) == snapshot(at: 2))
        let error = try #require(throws: LogError.self) { try reader.load(shard, at: Offset(1)) }
        #expect("\(error)".contains("torn"), "\(error)")
        // The next writer takes the spoilt slot.
        try makeStore(log, clock: clock).save(snapshot(at: 4), of: shard, at: Offset(4))
        let last = TopicSnapshotStore(try compacted(log), of: source, clock: clock)
        #expect(try last.offsets(of: shard) == [Offset(4), Offset(2)])
        for offset in [4, 2] as [Int64] { #expect(try last.load(shard, at: Offset(offset)) == snapshot(at: offset)) }
    }

    @Test func `a manifest that cannot be read is told and counts as none`() throws {
        let log = MemoryLog(topic: "slipstream.snapshots", partitionCount: 3)
        let clock = makeClock()
        try makeStore(log, clock: clock).save(snapshot(at: 1), of: shard, at: Offset(1))
        _ = try log.append([
            NewRecord(
                partition: PartitionID(2), key: SnapshotKey(log: source, shard: shard, slot: 1, chunk: nil).bytes,
                value: [1, 2, 3], timestamp: clock())
        ])
        let told = Mutex<[SnapshotError]>([])
        let reader = TopicSnapshotStore(
            log, of: source, clock: clock, damaged: { _, error in told.withLock { $0.append(error) } })
        #expect(try reader.offsets(of: shard) == [Offset(1)])
        #expect(told.withLock { $0 } == [.corrupt(reason: "its manifest does not begin like one")])
    }
}

/// A copy of a log with the last record of each key alone, read as Kafka serves a compacted topic.
private final class CompactedLog: PartitionedLog {
    let partitionCount: Int
    private let batches: [LogBatch]
    private let ends: [Offset]

    init(_ log: MemoryLog) throws {
        partitionCount = log.partitionCount
        var (batches, ends): ([LogBatch], [Offset]) = ([], [])
        for number in 0..<log.partitionCount {
            var all = LogBatch()
            try log.read(PartitionID(number), from: .zero, maxBytes: 1 << 30, into: &all)
            var kept = LogBatch()
            for (index, entry) in all.entries.enumerated() {
                func key(_ entry: LogBatch.Entry) -> [UInt8]? { entry.key.map { Array(all.bytes[$0]) } }
                guard !all.entries[(index + 1)...].contains(where: { key($0) == key(entry) }) else { continue }
                kept.copy(index..<index + 1, of: all)
            }
            batches.append(kept)
            ends.append(try log.endOffset(of: PartitionID(number)))
        }
        (self.batches, self.ends) = (batches, ends)
    }

    func append(_ records: [NewRecord]) throws(LogError) -> [Offset] { throw .closed }

    func read(
        _ partition: PartitionID, from offset: Offset, maxBytes: Int, into batch: inout LogBatch
    ) throws(LogError) {
        batch.removeAll()
        let all = batches[partition.number]
        guard let first = all.entries.firstIndex(where: { $0.offset >= offset }) else { return }
        batch.copy(first..<all.entries.count, of: all)
    }

    func earliestOffset(of partition: PartitionID) throws(LogError) -> Offset { .zero }
    func endOffset(of partition: PartitionID) throws(LogError) -> Offset { ends[partition.number] }
    func lineage(of partition: PartitionID) throws(LogError) -> UInt64? { 1 }
    func close() {}
}
