import Glibc
import Kafka
import Replication
import Storage
import Telemetry
import Testing
import Threads

/// The implementations for which the suite holds.
enum LogKind: String, CaseIterable, CustomTestStringConvertible {
    case memory
    case sqlite
    /// Without a tail in memory, so that every read goes to the file, and with small rows.
    case sqliteWithoutTail
    /// Over librdkafka's mock cluster.
    case kafka

    /// Those that forget by themselves; Kafka's brokers do that for Kafka.
    static let retaining: [LogKind] = [.memory, .sqlite, .sqliteWithoutTail]

    var testDescription: String { rawValue }

    func make(partitionCount: Int = 3, clock: @escaping @Sendable () -> Timestamp = wallClock) throws
        -> any RetainingLog & FollowableLog
    {
        guard self != .memory else {
            return MemoryLog(topic: "telemetry.chassis", partitionCount: partitionCount, clock: clock)
        }
        var settings = SQLiteLog.Settings()
        settings.partitionCount = partitionCount
        if self == .sqliteWithoutTail {
            settings.tailBytes = 0
            settings.rowBytes = 100
        }
        return try SQLiteLog(
            directory: temporaryDirectory(), topic: "telemetry.chassis", settings: settings, clock: clock)
    }
}

func temporaryDirectory() throws -> String {
    var template = Array("/tmp/slipstream-test-XXXXXX".utf8CString)
    let path = try #require(mkdtemp(&template))
    return String(cString: path)
}

/// Runs `body` with a log of `kind` and closes it.
func with<Value>(_ kind: LogKind, _ body: (any FollowableLog) throws -> Value) throws -> Value {
    guard kind == .kafka else { return try withRetaining(kind, body) }
    let cluster = try MockCluster(brokers: 3)
    defer { cluster.close() }
    try cluster.createTopic("telemetry.chassis", partitions: 3)
    let log = try KafkaLog(try KafkaConfiguration(brokers: cluster.addresses), topic: "telemetry.chassis")
    defer { log.close() }
    return try body(log)
}

/// Runs `body` with a log that forgets by itself and closes it.
func withRetaining<Value>(
    _ kind: LogKind, clock: @escaping @Sendable () -> Timestamp = wallClock,
    _ body: (any RetainingLog & FollowableLog) throws -> Value
) throws -> Value {
    let log = try kind.make(clock: clock)
    defer {
        log.close()
        if let log = log as? SQLiteLog { removeDirectory(String(log.path.dropLast("/log.db".count))) }
    }
    return try body(log)
}

func removeDirectory(_ path: String) {
    for name in ["/log.db", "/log.db-wal", "/log.db-shm", "/lock", "/reserve"] { unlink(path + name) }
    rmdir(path)
}

func record(_ number: Int, in partition: Int = 0, key: String? = "GR86-006-7") -> NewRecord {
    NewRecord(
        partition: PartitionID(partition), key: key.map { Array($0.utf8) },
        value: Array("{\"number\":\(number)}".utf8), timestamp: Timestamp(milliseconds: Int64(1_000 + number)))
}

extension LogBatch {
    var values: [String?] { entries.map { $0.value.map { String(decoding: bytes[$0], as: UTF8.self) } } }
    var offsets: [Int64] { entries.map(\.offset.value) }
}

/// Everything from `offset` on, read in pieces of about `maxBytes`.
func readAll(
    _ log: any PartitionedLog, _ partition: Int = 0, from offset: Int64 = 0, maxBytes: Int = 1 << 20
) throws -> [String?] {
    var values: [String?] = []
    var batch = LogBatch()
    var next = Offset(offset)
    while true {
        try log.read(PartitionID(partition), from: next, maxBytes: maxBytes, into: &batch)
        guard let last = batch.entries.last else { return values }
        values += batch.values
        next = last.offset + 1
    }
}

/// What every log must do.
@Suite struct PartitionedLogSuite {
    @Test(arguments: LogKind.allCases)
    func `records get dense offsets per partition in the order given`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            let first = try log.append([record(0), record(1, in: 2), record(2)])
            let second = try log.append([record(3, in: 2), record(4)])
            #expect(first.map(\.value) == [0, 0, 1])
            #expect(second.map(\.value) == [1, 2])
            #expect(try (0..<3).map { try log.endOffset(of: PartitionID($0)).value } == [3, 0, 2])
            #expect(try readAll(log) == [0, 2, 4].map { "{\"number\":\($0)}" })
            #expect(try readAll(log, 2) == [1, 3].map { "{\"number\":\($0)}" })
        }
    }

    @Test(arguments: LogKind.allCases)
    func `what is read is what was appended, with or without key, value and origin`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            var full = record(7)
            full.origin = Origin(source: "pit", sequence: .max)
            var bare = record(8, key: nil)
            bare.value = nil
            var empty = record(9, key: "")
            empty.value = []
            try #expect(log.append([full, bare, empty]).count == 3)
            var batch = LogBatch()
            try log.read(PartitionID(0), from: .zero, maxBytes: 1_000, into: &batch)
            #expect(batch.offsets == [0, 1, 2])
            #expect(batch.values == ["{\"number\":7}", nil, ""])
            #expect(
                batch.entries.map { $0.key.map { String(decoding: batch.bytes[$0], as: UTF8.self) } }
                    == ["GR86-006-7", nil, ""])
            #expect(
                batch.entries.map { $0.source.map { String(decoding: batch.bytes[$0], as: UTF8.self) } }
                    == ["pit", nil, nil])
            #expect(batch.entries[0].sequence == .max)
            #expect(batch.entries.map(\.timestamp) == [full, bare, empty].map(\.timestamp))
        }
    }

    @Test(arguments: LogKind.allCases)
    func `reading begins at any offset and goes on to the end in pieces of any size`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            for start in stride(from: 0, to: 60, by: 6) {
                _ = try log.append((start..<start + 6).map { record($0) })
            }
            let all = (0..<60).map { "{\"number\":\($0)}" }
            for maxBytes in [1, 50, 200, 100_000] {
                #expect(try readAll(log, maxBytes: maxBytes) == all)
            }
            for offset in 0...60 {
                #expect(try readAll(log, from: Int64(offset)) == all.suffix(60 - offset).map { $0 })
            }
        }
    }

    @Test(arguments: LogKind.allCases)
    func `at the end there is nothing to read, and no more than maxBytes but for the first record`(
        kind: LogKind
    ) throws {
        try with(kind) { (log) throws in
            _ = try log.append((0..<10).map { record($0) })
            var batch = LogBatch()
            try log.read(PartitionID(0), from: Offset(10), maxBytes: 1_000, into: &batch)
            #expect(batch.entries.isEmpty)
            try log.read(PartitionID(1), from: .zero, maxBytes: 1_000, into: &batch)
            #expect(batch.entries.isEmpty)
            try log.read(PartitionID(0), from: .zero, maxBytes: 1, into: &batch)
            #expect(batch.offsets == [0])
            try log.read(PartitionID(0), from: .zero, maxBytes: 70, into: &batch)
            #expect(batch.offsets == [0, 1, 2])
            #expect(batch.bytes.count <= 70)
        }
    }

    @Test(arguments: LogKind.allCases)
    func `a partition that does not exist is refused and nothing of the append is stored`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            let refusal = LogError.noSuchPartition(PartitionID(3), count: 3)
            #expect(throws: refusal) { try log.append([record(0), record(1, in: 3)]) }
            #expect(throws: refusal) { try log.endOffset(of: PartitionID(3)) }
            #expect(try log.endOffset(of: PartitionID(0)) == .zero)
        }
    }

    @Test(arguments: LogKind.allCases)
    func `an append of nothing stores nothing`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            #expect(try log.append([]).isEmpty)
            #expect(try log.endOffset(of: PartitionID(0)) == .zero)
        }
    }

    @Test(arguments: LogKind.allCases)
    func `a closed log says so`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            _ = try log.append([record(0)])
            log.close()
            var batch = LogBatch()
            #expect(throws: LogError.closed) { try log.append([record(1)]) }
            #expect(throws: LogError.closed) { try log.endOffset(of: PartitionID(0)) }
            #expect(throws: LogError.closed) {
                try log.read(PartitionID(0), from: .zero, maxBytes: 10, into: &batch)
            }
        }
    }

    // Retention.

    @Test(arguments: LogKind.retaining)
    func `what is older than the limit goes, and reading it says where to go on`(kind: LogKind) throws {
        let clock = ManualClock()
        try withRetaining(kind, clock: clock.read) { (log) throws in
            for number in 0..<100 {
                clock.set(seconds: number)
                _ = try log.append([record(number)])
            }
            let removed = try log.remove(beyond: Retention(age: .seconds(10)), at: Timestamp(milliseconds: 99_000))
            #expect(removed == 89)
            #expect(try log.earliestOffset(of: PartitionID(0)) == Offset(89))
            #expect(try readAll(log, from: 89) == (89..<100).map { "{\"number\":\($0)}" })
            var batch = LogBatch()
            #expect(throws: LogError.truncated(PartitionID(0), asked: Offset(88), earliest: Offset(89))) {
                try log.read(PartitionID(0), from: Offset(88), maxBytes: 100, into: &batch)
            }
        }
    }

    @Test(arguments: LogKind.retaining)
    func `each partition is held to its bytes, but keeps its newest batch`(kind: LogKind) throws {
        try withRetaining(kind) { (log) throws in
            for number in 0..<200 { _ = try log.append([record(number), record(number, in: 1)]) }
            let removed = try log.remove(
                beyond: Retention(bytesPerPartition: 2_000), at: Timestamp(microseconds: 0))
            #expect(removed > 100)
            let earliest = try log.earliestOffset(of: PartitionID(0))
            #expect(earliest > Offset(100) && earliest < Offset(195))
            #expect(try readAll(log, from: earliest.value).count == 200 - Int(earliest.value))

            try log.remove(beyond: Retention(bytesPerPartition: 0), at: Timestamp(microseconds: 0))
            #expect(try log.earliestOffset(of: PartitionID(1)) == Offset(199))
            #expect(try log.endOffset(of: PartitionID(1)) == Offset(200))
        }
    }

    @Test(arguments: LogKind.retaining)
    func `without a limit nothing goes`(kind: LogKind) throws {
        try withRetaining(kind) { (log) throws in
            _ = try log.append([record(0)])
            #expect(try log.remove(beyond: .forever, at: Timestamp(microseconds: .max)) == 0)
            #expect(try readAll(log).count == 1)
        }
    }

    @Test(arguments: LogKind.retaining)
    func `when everything is gone offsets go on from the end`(kind: LogKind) throws {
        let clock = ManualClock()
        try withRetaining(kind, clock: clock.read) { (log) throws in
            _ = try log.append((0..<5).map { record($0) })
            try log.remove(beyond: Retention(age: .seconds(1)), at: Timestamp(milliseconds: 100_000))
            #expect(try log.earliestOffset(of: PartitionID(0)) == Offset(5))
            #expect(try readAll(log, from: 5).isEmpty)
            #expect(try log.append([record(5)]) == [Offset(5)])
            #expect(try readAll(log, from: 5) == ["{\"number\":5}"])
        }
    }

    // Lineage.

    @Test(arguments: LogKind.retaining)
    func `the lineage is that of the first record, from the first append on and after it is gone`(
        kind: LogKind
    ) throws {
        let clock = ManualClock()
        try withRetaining(kind, clock: clock.read) { (log) throws in
            #expect(try log.lineage(of: PartitionID(0)) == nil)
            _ = try log.append([record(0), record(1)])
            let first = FirstRecord(offset: .zero, timestamp: record(0).timestamp, key: record(0).key)
            let lineage = first.lineage(topic: "telemetry.chassis", partition: PartitionID(0))
            #expect(try log.lineage(of: PartitionID(0)) == lineage)
            try log.remove(beyond: Retention(age: .seconds(1)), at: Timestamp(milliseconds: 100_000))
            _ = try log.append([record(2)])
            #expect(try log.lineage(of: PartitionID(0)) == lineage)
            #expect(try log.lineage(of: PartitionID(1)) == nil)
        }
    }

    @Test(arguments: LogKind.allCases)
    func `the lineage is that of the first record, and stays while records come`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            #expect(try log.lineage(of: PartitionID(0)) == nil)
            _ = try log.append([record(0), record(1)])
            let first = FirstRecord(offset: .zero, timestamp: record(0).timestamp, key: record(0).key)
            let lineage = first.lineage(topic: "telemetry.chassis", partition: PartitionID(0))
            for number in 2..<4 {
                #expect(try log.lineage(of: PartitionID(0)) == lineage)
                _ = try log.append([record(number)])
            }
            #expect(try log.lineage(of: PartitionID(1)) == nil)
        }
    }

    @Test func `lineages differ by topic, partition, offset, time and key`() {
        let time = Timestamp(milliseconds: 1)
        let base = FirstRecord(offset: .zero, timestamp: time, key: [1])
        let others = [
            base.lineage(topic: "a", partition: PartitionID(0)), base.lineage(topic: "b", partition: PartitionID(0)),
            base.lineage(topic: "a", partition: PartitionID(1)),
            FirstRecord(offset: Offset(1), timestamp: time, key: [1]).lineage(topic: "a", partition: PartitionID(0)),
            FirstRecord(offset: .zero, timestamp: Timestamp(milliseconds: 2), key: [1])
                .lineage(topic: "a", partition: PartitionID(0)),
            FirstRecord(offset: .zero, timestamp: time, key: nil).lineage(topic: "a", partition: PartitionID(0)),
        ]
        #expect(Set(others).count == others.count)
    }

    // Several threads.

    @Test(arguments: LogKind.allCases)
    func `appends of several threads at a time are whole and in order while others read and forget`(
        kind: LogKind
    ) throws {
        try with(kind) { (log) throws in
            let writers = try (0..<4).map { writer in
                try Worker("writer") {
                    for number in 0..<100 {
                        let records = [writer * 1_000 + 2 * number, writer * 1_000 + 2 * number + 1].map { record($0) }
                        let offsets = try? log.append(records)
                        // Kafka puts those of several appends into one request, each in its order.
                        #expect(offsets.map { kind == .kafka ? $0[1] > $0[0] : $0[1] == $0[0] + 1 } == true)
                    }
                }
            }
            let reader = try Worker("reader") {
                #expect(throws: Never.self) { try follow(log, until: 800) }
            }
            for worker in writers + [reader] { worker.join() }
            let numbers = try readAll(log).compactMap { $0.flatMap { Int($0.filter(\.isNumber)) } }
            #expect(Set(numbers).count == 800)
            for writer in 0..<4 {
                #expect(numbers.filter { $0 / 1_000 == writer } == (0..<200).map { writer * 1_000 + $0 })
            }
        }
    }

    // Readers.

    @Test(arguments: LogKind.allCases)
    func `a reader hands out every record of its partitions in order, and says where each ends`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            _ = try log.append((0..<30).map { record($0, in: $0 % 3) })
            let reader = try log.makeReader()
            defer { reader.close() }
            try reader.assign(PartitionID(0), from: .zero)
            try reader.assign(PartitionID(2), from: Offset(4))
            var seen = Seen()
            try seen.take(from: reader) { $0.ends == [0: 10, 2: 10] }
            #expect(seen.offsets == [0: Array(0..<10), 2: Array(4..<10)])
            _ = try log.append((30..<33).map { record($0, in: $0 % 3) })
            try seen.take(from: reader) { $0.ends == [0: 11, 2: 11] }
            #expect(seen.offsets == [0: Array(0..<11), 2: Array(4..<11)])
        }
    }

    @Test(arguments: LogKind.allCases)
    func `a reader begins again where it is put, and leaves what it is told to`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            _ = try log.append((0..<30).map { record($0, in: $0 % 3) })
            let reader = try log.makeReader()
            defer { reader.close() }
            try reader.assign(PartitionID(0), from: .zero)
            try reader.assign(PartitionID(1), from: .zero)
            var seen = Seen()
            try seen.take(from: reader, maxBytes: 40) { ($0.offsets[0]?.count ?? 0) >= 3 }
            try reader.unassign(PartitionID(1))
            try reader.assign(PartitionID(0), from: Offset(1))
            var again = Seen()
            try again.take(from: reader, maxBytes: 40) { $0.ends[0] == 10 }
            #expect(again.offsets == [0: Array(1..<10)])
        }
    }

    @Test(arguments: LogKind.allCases)
    func `a reader before which the log ends says so and stands still`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            _ = try log.append((0..<5).map { record($0) })
            let reader = try log.makeReader()
            defer { reader.close() }
            try reader.assign(PartitionID(0), from: Offset(9))
            var seen = Seen()
            try seen.take(from: reader) { !$0.others.isEmpty }
            #expect(seen.others == [.shortened(PartitionID(0), asked: Offset(9), end: Offset(5))])
            _ = try log.append((5..<12).map { record($0) })
            try reader.assign(PartitionID(0), from: Offset(4))
            try seen.take(from: reader) { $0.ends[0] == 12 }
            #expect(seen.offsets == [0: Array(4..<12)])
        }
    }

    @Test(arguments: LogKind.allCases)
    func `waking a reader ends its wait, also if it has not begun`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            let reader = try log.makeReader()
            defer { reader.close() }
            var batch = LogBatch()
            reader.wake()
            let start = ContinuousClock.now
            #expect(try reader.next(maxBytes: 100, waitingUpTo: .seconds(60), into: &batch) == .idle)
            let waker = try Worker("waker") { reader.wake() }
            #expect(try reader.next(maxBytes: 100, waitingUpTo: .seconds(60), into: &batch) == .idle)
            waker.join()
            #expect(ContinuousClock.now - start < .seconds(30))
        }
    }

    @Test(arguments: LogKind.allCases)
    func `a reader of a closed log says so`(kind: LogKind) throws {
        try with(kind) { (log) throws in
            let reader = try log.makeReader()
            defer { reader.close() }
            log.close()
            var batch = LogBatch()
            #expect(throws: LogError.closed) {
                try reader.next(maxBytes: 100, waitingUpTo: .seconds(60), into: &batch)
            }
            #expect(throws: LogError.closed) { try log.makeReader() }
        }
    }
}

/// What a reader has handed out.
private struct Seen {
    var offsets: [Int: [Int64]] = [:]
    /// The last end said of each partition.
    var ends: [Int: Int64] = [:]
    var others: [LogReading] = []

    mutating func take(
        from reader: any LogReader, maxBytes: Int = 1_000, until isDone: (Seen) -> Bool
    ) throws {
        var batch = LogBatch()
        let deadline = ContinuousClock.now + .seconds(30)
        while !isDone(self) {
            try #require(ContinuousClock.now < deadline, "the reader does not get there: \(self)")
            switch try reader.next(maxBytes: maxBytes, waitingUpTo: .seconds(1), into: &batch) {
            case .records(let partition): offsets[partition.number, default: []] += batch.offsets
            case .end(let partition, let end): ends[partition.number] = end.value
            case .idle: continue
            case let other: others.append(other)
            }
        }
    }
}

/// Reads as a replica does, to the end and on, until `count` records have come.
private func follow(_ log: any PartitionedLog, until count: Int) throws {
    var batch = LogBatch()
    var next = Offset.zero
    while next.value < count {
        try log.read(PartitionID(0), from: next, maxBytes: 300, into: &batch)
        for (index, entry) in batch.entries.enumerated() { #expect(entry.offset == next + index) }
        next = next + batch.entries.count
    }
}

/// Wall time that stands still until it is set.
final class ManualClock: Sendable {
    private let now = Monitor(Timestamp(microseconds: 0))
    func set(seconds: Int) { now.withLock { $0 = Timestamp(milliseconds: Int64(seconds) * 1_000) } }
    var read: @Sendable () -> Timestamp { { [now] in now.withLock { $0 } } }
}
