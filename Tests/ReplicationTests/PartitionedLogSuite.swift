import Glibc
import Replication
import Storage
import Telemetry
import Testing

/// The implementations for which the suite holds.
enum LogKind: String, CaseIterable, CustomTestStringConvertible {
    case memory
    case sqlite
    /// Without a tail in memory, so that every read goes to the file, and with small rows.
    case sqliteWithoutTail

    var testDescription: String { rawValue }

    func make(partitionCount: Int = 3, clock: @escaping @Sendable () -> Timestamp = wallClock) throws
        -> any RetainingLog
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
func with<Value>(
    _ kind: LogKind, clock: @escaping @Sendable () -> Timestamp = wallClock, _ body: (any RetainingLog) throws -> Value
) throws -> Value {
    let log = try kind.make(clock: clock)
    defer {
        log.close()
        if let log = log as? SQLiteLog { removeDirectory(String(log.path.dropLast("/log.db".count))) }
    }
    return try body(log)
}

func removeDirectory(_ path: String) {
    for name in ["/log.db", "/log.db-wal", "/log.db-shm", "/lock"] { unlink(path + name) }
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
}
