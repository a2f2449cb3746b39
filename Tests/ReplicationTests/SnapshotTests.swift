import Replication
import Telemetry
import Testing

private let sample = Snapshot(
    engineVersion: 3, lineage: 0xABCD, offset: Offset(4_711), time: Timestamp(milliseconds: 1_757_184_041_926),
    stateHash: 0x1234_5678_9ABC_DEF0,
    streams: [
        .init(name: "chassis/GR86-025-47", state: Array("second".utf8)),
        .init(name: "chassis/GR86-006-7", state: [0, 1, 2, 255]), .init(name: "chassis/empty", state: []),
    ], shard: Array("sources".utf8))
private let expectation = Snapshot.Expectation(engineVersion: 3, lineage: 0xABCD)

@Suite struct SnapshotTests {
    @Test func `a snapshot that is stored and read again is the same`() throws {
        #expect(try Snapshot.decode(sample.encode(), expecting: expectation) == sample)
        var early = sample
        early.lineage = nil
        #expect(
            try Snapshot.decode(early.encode(), expecting: .init(engineVersion: 3, lineage: nil)) == early)
    }

    @Test func `streams are in the order of their names, so equal states give equal bytes`() {
        let other = Snapshot(
            engineVersion: 3, lineage: 0xABCD, offset: sample.offset, time: sample.time, stateHash: sample.stateHash,
            streams: sample.streams.reversed(), shard: sample.shard)
        #expect(other.encode() == sample.encode())
        #expect(sample.streams.map(\.name) == ["chassis/GR86-006-7", "chassis/GR86-025-47", "chassis/empty"])
    }

    @Test func `every flipped bit is noticed`() {
        let bytes = sample.encode()
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                #expect {
                    try Snapshot.decode(damaged, expecting: expectation)
                } throws: { error in
                    guard case SnapshotError.corrupt = error else { return false }
                    return true
                }
            }
        }
    }

    @Test func `every truncation is called torn`() {
        let bytes = sample.encode()
        for length in bytes.indices {
            #expect {
                try Snapshot.decode(Array(bytes.prefix(length)), expecting: expectation)
            } throws: { error in
                guard case SnapshotError.torn(length, _) = error else { return false }
                return true
            }
        }
    }

    @Test func `bytes after the end are noticed`() {
        #expect(
            throws: SnapshotError.corrupt(
                reason: "\(sample.encode().count + 1) bytes instead of \(sample.encode().count)")
        ) {
            try Snapshot.decode(sample.encode() + [0], expecting: expectation)
        }
    }

    @Test func `a newer format is told from damage`() {
        var newer = sample.encode()
        newer[8] = 9
        let check = CRC32C.checksum(newer[..<20])
        newer.replaceSubrange(20..<24, with: withUnsafeBytes(of: check.littleEndian) { Array($0) })
        #expect(throws: SnapshotError.newerFormat(found: 9, known: 1)) {
            try Snapshot.decode(newer, expecting: expectation)
        }
    }

    @Test func `another engine version and another lineage are refused`() {
        #expect(throws: SnapshotError.engineVersionMismatch(found: 3, expected: 4)) {
            try Snapshot.decode(sample.encode(), expecting: .init(engineVersion: 4, lineage: 0xABCD))
        }
        for lineage in [nil, 0xABCE] as [UInt64?] {
            #expect(throws: SnapshotError.wrongLineage(found: 0xABCD, expected: lineage)) {
                try Snapshot.decode(sample.encode(), expecting: .init(engineVersion: 3, lineage: lineage))
            }
        }
    }

    @Test(arguments: [
        SnapshotError.torn(length: 10, expected: 20), .corrupt(reason: "its check sum fails"),
        .newerFormat(found: 2, known: 1), .engineVersionMismatch(found: 1, expected: 2),
        .wrongLineage(found: nil, expected: 1), .unreadable(.closed),
    ])
    func `every error says what is done about it`(error: SnapshotError) {
        #expect(error.description.contains("skipped"))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `bytes of chance never crash`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for length in 0..<200 {
            var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Past the first gate, or nothing behind it would be tried.
            if Bool.random(using: &random) { bytes = Array(sample.encode().prefix(length / 4)) + bytes }
            #expect(throws: SnapshotError.self) { try Snapshot.decode(bytes) }
        }
    }
}

@Suite struct SnapshotLoaderTests {
    private func snapshot(at offset: Int64) -> Snapshot {
        var snapshot = sample
        snapshot.offset = Offset(offset)
        return snapshot
    }

    private struct Skipped: Equatable {
        let offset: Offset
        let reason: SnapshotError
    }

    private func newestIntact(in store: MemorySnapshotStore) -> (snapshot: Snapshot?, skipped: [Skipped]) {
        var skipped: [Skipped] = []
        let found = SnapshotLoader.first(
            in: store.offsets(of: PartitionID(0)), from: store, PartitionID(0), expecting: expectation,
            skipped: { skipped.append(Skipped(offset: $0, reason: $1)) }, make: { $0 })
        return (found, skipped)
    }

    @Test func `the newest intact snapshot wins and the bad ones before it are reported`() throws {
        let store = MemorySnapshotStore()
        for offset: Int64 in [10, 20, 30] {
            store.save(snapshot(at: offset).encode(), of: PartitionID(0), at: Offset(offset))
        }
        let whole = snapshot(at: 30).encode()
        store.overwrite(PartitionID(0), at: Offset(30), with: Array(whole.dropLast(5)))
        var flipped = snapshot(at: 20).encode()
        flipped[40] ^= 1
        store.overwrite(PartitionID(0), at: Offset(20), with: flipped)

        let found = newestIntact(in: store)
        #expect(found.snapshot == snapshot(at: 10))
        #expect(
            found.skipped == [
                Skipped(offset: Offset(30), reason: .torn(length: whole.count - 5, expected: whole.count)),
                Skipped(offset: Offset(20), reason: .corrupt(reason: "its check sum fails")),
            ])
    }

    @Test func `without any intact snapshot there is none, and every one is reported`() throws {
        let store = MemorySnapshotStore()
        for offset: Int64 in [10, 20] { store.save([1, 2, 3], of: PartitionID(0), at: Offset(offset)) }
        let found = newestIntact(in: store)
        #expect(found.snapshot == nil)
        #expect(found.skipped.map(\.offset.value) == [20, 10])
    }

    @Test func `a snapshot in the place of another is not used`() throws {
        let store = MemorySnapshotStore()
        store.save(snapshot(at: 10).encode(), of: PartitionID(0), at: Offset(11))
        let found = newestIntact(in: store)
        #expect(found.snapshot == nil && found.skipped.count == 1)
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
