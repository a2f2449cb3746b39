import Replication
import Telemetry
import Testing

/// A log of one partition with three cars, wide and long, publishers that repeat themselves, poison, and flushes.
private struct World {
    let log = MemoryLog(topic: "telemetry.chassis", partitionCount: 1)
    let partition = PartitionID(0)
    let decoder = RecordDecoder()

    init(seed: UInt64, records: Int) throws {
        var random = SeededGenerator(state: seed)
        var sequence: [String: UInt64] = [:]
        for step in 0..<records {
            let car = ["a", "b", "c"].randomElement(using: &random) ?? "a"
            var origin: Origin?
            if Bool.random(using: &random) {
                let last = sequence[car, default: 0]
                let isRepeat = last > 0 && Int.random(in: 0..<4, using: &random) == 0
                sequence[car] = isRepeat ? last : last + 1
                origin = Origin(source: "pit-\(car)", sequence: isRepeat ? last : last + 1)
            }
            _ = try log.append([
                NewRecord(
                    partition: partition, key: Array(car.utf8), value: Array(value(car, step, &random).utf8),
                    timestamp: Timestamp(milliseconds: 1_760_000_000_000 + Int64(step) * 50), origin: origin)
            ])
        }
    }

    private func value(_ car: String, _ step: Int, _ random: inout SeededGenerator) -> String {
        let time = Timestamp(milliseconds: 1_760_000_000_000 + Int64(step) * 100).iso8601
        let lap = 1 + step / 60
        switch Int.random(in: 0..<10, using: &random) {
        case 0: return "{\"chassis\":\"\(car)\",\"speed_kmh\":NaN}"
        case 1: return "not json at all"
        case 2: return "{\"slipstream\":\"flush\"}"
        case 3..<6:
            let name = ["speed", "accx_can", "nmot"].randomElement(using: &random) ?? "speed"
            return """
                {"telemetry_name":"\(name)","telemetry_value":\(step % 90),"vehicle_id":"\(car)","lap":\(lap),\
                "timestamp":"\(time)","meta_time":"\(time)","meta_event":"I_R06_2025-09-07"}
                """
        default:
            return """
                [{"meta_time":"\(time)","track":"barber","chassis":"\(car)","lap":\(lap),"lapdist_m":\(step % 60 * 61),\
                "speed_kmh":\(100 + step % 50),"accx_can":0.\(step % 9),"accy_can":-0.5,"Steering_Angle":12.5}]
                """
        }
    }

    /// Folds from where `shard` stands to the end, in batches of about `maxBytes`.
    func fold(_ shard: inout Shard, maxBytes: Int) throws -> OutputBatch {
        var (batch, outputs, scratch) = (LogBatch(), OutputBatch(), FoldScratch())
        while true {
            try log.read(partition, from: shard.next, maxBytes: maxBytes, into: &batch)
            if batch.entries.isEmpty { return outputs }
            shard.apply(batch, decoder: decoder, scratch: &scratch, into: &outputs)
        }
    }

    func newShard() throws -> Shard {
        var shard = Shard(partition: partition, tracks: .builtIn)
        shard.lineage = try log.lineage(of: partition)
        return shard
    }
}

private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct ShardTests {
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a shard that was snapshotted and restored anywhere says and becomes the same`(seed: UInt64) throws {
        let world = try World(seed: seed, records: 400)
        var whole = try world.newShard()
        let said = try world.fold(&whole, maxBytes: 1 << 20)

        var first = try world.newShard()
        var (batch, outputs, scratch) = (LogBatch(), OutputBatch(), FoldScratch())
        var random = SeededGenerator(state: seed &+ 99)
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            try world.log.read(world.partition, from: first.next, maxBytes: 4_000, into: &batch)
            first.apply(batch, decoder: world.decoder, scratch: &scratch, into: &outputs)
        }
        let bytes = first.snapshot(at: Timestamp(microseconds: 1)).encode()
        var second = try Shard(try Snapshot.decode(bytes), partition: world.partition, tracks: .builtIn)
        #expect(second.stateHash == first.stateHash)
        let rest = try world.fold(&second, maxBytes: 300)
        #expect(outputs.bytes + rest.bytes == said.bytes)
        #expect(second.stateHash == whole.stateHash)
        #expect(second.accounting == whole.accounting)
    }

    @Test(arguments: [200, 3_000, 1 << 20])
    func `the state is hashed at the same offsets to the same, however the log is cut into batches`(
        maxBytes: Int
    ) throws {
        let world = try World(seed: 5, records: 400)
        func hashes(maxBytes: Int) throws -> ([Int64: UInt64], UInt64) {
            var shard = try world.newShard()
            var (batch, outputs, scratch) = (LogBatch(), OutputBatch(), FoldScratch())
            var hashes: [Int64: UInt64] = [:]
            while true {
                try world.log.read(world.partition, from: shard.next, maxBytes: maxBytes, into: &batch)
                if batch.entries.isEmpty { return (hashes, shard.stateHash) }
                shard.apply(
                    batch, decoder: world.decoder, scratch: &scratch, hashingEvery: 50, into: &outputs
                ) { hashes[$0.value] = $1 }
            }
        }
        let (found, last) = try hashes(maxBytes: maxBytes)
        #expect(found.keys.sorted() == [50, 100, 150, 200, 250, 300, 350, 400])
        #expect(try hashes(maxBytes: 1_000) == (found, last))
        #expect(found[400] == last)
        var whole = try world.newShard()
        _ = try world.fold(&whole, maxBytes: 1 << 20)
        #expect(whole.stateHash == last)
    }

    @Test func `poison is counted by reason and stepped over`() throws {
        let world = try World(seed: 3, records: 300)
        var shard = try world.newShard()
        _ = try world.fold(&shard, maxBytes: 1 << 20)
        #expect(shard.next == Offset(300))
        #expect((shard.accounting.refused[.notJSON] ?? 0) > 5)
        #expect((shard.accounting.refused[.notFinite] ?? 0) > 5)
        #expect(shard.streamCount == 3)
    }

    @Test func `a publish that comes again counts once, also across a restore`() throws {
        let log = MemoryLog(topic: "t", partitionCount: 1)
        let value = Array("{\"chassis\":\"a\",\"speed_kmh\":1}".utf8)
        func append(_ sequence: UInt64) throws {
            _ = try log.append([
                NewRecord(
                    partition: PartitionID(0), key: [0x61], value: value, timestamp: Timestamp(microseconds: 1),
                    origin: Origin(source: "s", sequence: sequence))
            ])
        }
        for sequence in [1, 2, 2, 1, 4, 3, 4, 3] as [UInt64] { try append(sequence) }
        var shard = Shard(partition: PartitionID(0), tracks: .builtIn)
        var (batch, outputs, scratch) = (LogBatch(), OutputBatch(), FoldScratch())
        try log.read(PartitionID(0), from: .zero, maxBytes: 1 << 20, into: &batch)
        shard.apply(batch, decoder: RecordDecoder(), scratch: &scratch, into: &outputs)
        #expect(shard.status.streams[0].seq == 4)
        #expect(shard.status.streams[0].repeats == 4)
        let snapshot = shard.snapshot(at: Timestamp(microseconds: 1))
        shard = try Shard(snapshot, partition: PartitionID(0), tracks: .builtIn)
        for sequence in [4, 5] as [UInt64] { try append(sequence) }
        try log.read(PartitionID(0), from: shard.next, maxBytes: 1 << 20, into: &batch)
        shard.apply(batch, decoder: RecordDecoder(), scratch: &scratch, into: &outputs)
        #expect(shard.status.streams[0].seq == 5)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `a replay gives byte for byte what was said the first time`(seed: UInt64) throws {
        let world = try World(seed: seed, records: 400)
        let snapshots = MemorySnapshotStore()
        var whole = try world.newShard()
        let said = try world.fold(&whole, maxBytes: 1 << 20)
        var half = try world.newShard()
        var (batch, outputs, scratch) = (LogBatch(), OutputBatch(), FoldScratch())
        try world.log.read(world.partition, from: .zero, maxBytes: 20_000, into: &batch)
        half.apply(batch, decoder: world.decoder, scratch: &scratch, into: &outputs)
        snapshots.save(
            half.snapshot(at: Timestamp(microseconds: 1)).encode(), of: world.partition, at: half.next)

        for (number, id) in whole.streamIDs.enumerated() {
            for after in [0, 3, 50, 1_000] as [UInt64] {
                var cursor = try ReplayCursor(
                    stream: id, partition: world.partition, after: [after, after, after], log: world.log,
                    snapshots: [MemorySnapshotStore(), snapshots], tracks: .builtIn, decoder: world.decoder)
                var replayed: [UInt8] = []
                try cursor.read(maxBytes: .max) { entry, json in
                    if entry.seq > after { replayed += json }
                    return json.count
                }
                let expected = said.entries.filter { $0.stream == Int32(number) && $0.seq > after }
                    .flatMap { said.bytes[$0.start..<$0.start + $0.count] }
                #expect(replayed == expected)
            }
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>, [true, false])
    func `what the log has is replayed though its first record is gone`(seed: UInt64, isShared: Bool) throws {
        let world = try World(seed: seed, records: 1_000)
        let snapshots = MemorySnapshotStore()
        var shard = try world.newShard()
        var (batch, outputs, scratch) = (LogBatch(), OutputBatch(), FoldScratch())
        while try shard.next < world.log.endOffset(of: world.partition) {
            try world.log.read(world.partition, from: shard.next, maxBytes: 2_000, into: &batch)
            shard.apply(batch, decoder: world.decoder, scratch: &scratch, into: &outputs)
            snapshots.save(shard.snapshot(at: Timestamp(microseconds: 1)).encode(), of: world.partition, at: shard.next)
        }
        try world.log.remove(beyond: Retention(bytesPerPartition: 60_000), at: Timestamp(microseconds: 0))
        let earliest = try world.log.earliestOffset(of: world.partition)
        let oldest = try #require(snapshots.offsets(of: world.partition).last { $0 >= earliest })
        try #require(earliest > .zero && oldest.value - earliest.value < 500)

        let loader = ShardLoader(
            store: snapshots, partition: world.partition, tracks: .builtIn,
            lineage: try world.log.lineage(of: world.partition))
        let begin = try #require(try loader.oldest { $0.next == oldest })
        for (number, id) in shard.streamIDs.enumerated() {
            let said = begin.watermarks(of: id)
            for after in [said, said.map { $0 + 1 }, said.map { $0 + 20 }] {
                var cursor = try ReplayCursor(
                    stream: id, partition: world.partition, after: after, log: world.log,
                    snapshots: isShared ? [MemorySnapshotStore(), snapshots] : [snapshots], tracks: .builtIn,
                    decoder: world.decoder)
                #expect(cursor.gap == nil)
                var replayed: [UInt8] = []
                try cursor.read(maxBytes: .max) { entry, json in
                    if entry.seq > after[Int(entry.kind.rawValue)] { replayed += json }
                    return json.count
                }
                let expected = outputs.entries
                    .filter { $0.stream == Int32(number) && $0.seq > after[Int($0.kind.rawValue)] }
                    .flatMap { outputs.bytes[$0.start..<$0.start + $0.count] }
                let isSame = replayed == expected
                #expect(isSame, "\(id) after \(after)")
            }
        }
    }

    @Test func `a corrupt or torn snapshot is reported and the one before it is used`() throws {
        let world = try World(seed: 5, records: 200)
        let snapshots = MemorySnapshotStore()
        var shard = try world.newShard()
        var (batch, outputs, scratch) = (LogBatch(), OutputBatch(), FoldScratch())
        var offsets: [Offset] = []
        for damage in 0..<3 {
            try world.log.read(world.partition, from: shard.next, maxBytes: 6_000, into: &batch)
            shard.apply(batch, decoder: world.decoder, scratch: &scratch, into: &outputs)
            var bytes = shard.snapshot(at: Timestamp(microseconds: 1)).encode()
            if damage == 1 { bytes[bytes.count / 2] ^= 0x40 }
            if damage == 2 { bytes.removeLast(bytes.count / 3) }
            snapshots.save(bytes, of: world.partition, at: shard.next)
            offsets.append(shard.next)
        }
        let loader = ShardLoader(
            store: snapshots, partition: world.partition, tracks: .builtIn,
            lineage: try world.log.lineage(of: world.partition))
        var skipped: [Offset] = []
        let newest = try loader.newest(where: { _ in true }, skipped: { offset, _ in skipped.append(offset) })
        var restored = try #require(newest)
        #expect(skipped == [offsets[2], offsets[1]])
        #expect(restored.next == offsets[0])
        _ = try world.fold(&restored, maxBytes: 1 << 20)
        var whole = try world.newShard()
        _ = try world.fold(&whole, maxBytes: 1 << 20)
        #expect(restored.stateHash == whole.stateHash)
    }
}
