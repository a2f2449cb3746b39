import Glibc
import Replication
import Storage
import Telemetry
import Testing

private func open(_ directory: String, _ change: (inout SQLiteLog.Settings) -> Void = { _ in }) throws -> SQLiteLog {
    var settings = SQLiteLog.Settings()
    change(&settings)
    return try SQLiteLog(directory: directory, topic: "telemetry.chassis", settings: settings)
}

/// What only a log on a disk has to prove; what all logs must do is in `PartitionedLogSuite`.
@Suite struct SQLiteLogTests {
    @Test func `a log that is opened again has everything, and goes on where it was`() throws {
        let directory = try TemporaryDirectory()
        var log = try open(directory.path)
        let offsets = try log.append((0..<50).map { record($0, in: $0 % 3) })
        let lineage = try log.lineage(of: PartitionID(1))
        log.close()

        log = try open(directory.path)
        defer { log.close() }
        #expect(try readNumbers(log, 1) == stride(from: 1, to: 50, by: 3).map { $0 })
        #expect(try log.lineage(of: PartitionID(1)) == lineage && lineage != nil)
        #expect(try log.append([record(50, in: 2)]) == [offsets[47] + 1])
    }

    @Test func `offsets and lineage outlive the records and the process`() throws {
        let directory = try TemporaryDirectory()
        var log = try open(directory.path)
        _ = try log.append((0..<7).map { record($0) })
        let lineage = try log.lineage(of: PartitionID(0))
        try log.remove(beyond: Retention(age: .zero), at: Timestamp(microseconds: .max))
        log.close()

        log = try open(directory.path)
        defer { log.close() }
        #expect(try log.earliestOffset(of: PartitionID(0)) == Offset(7))
        #expect(try log.append([record(7)]) == [Offset(7)])
        #expect(try log.lineage(of: PartitionID(0)) == lineage)
    }

    @Test func `retention is at work without being asked`() throws {
        let directory = try TemporaryDirectory()
        let log = try open(directory.path) { settings in
            settings.retention = Retention(bytesPerPartition: 1_000)
            settings.retentionInterval = .milliseconds(5)
        }
        defer { log.close() }
        while try log.earliestOffset(of: PartitionID(0)) < Offset(50) {
            _ = try log.append([record(1, bytes: 100)])
        }
    }

    @Test(arguments: [nil, 1] as [Int?])
    func `large records come back from the file as they were`(level: Int?) throws {
        let directory = try TemporaryDirectory()
        let log = try open(directory.path) { settings in
            settings.tailBytes = 0
            settings.compressionLevel = level
        }
        defer { log.close() }
        var random = SeededRandom(seed: 1)
        var records = (0..<5).map { record($0, bytes: 300_000) }
        records.append(record(5))
        records[5].value = (0..<400_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        _ = try log.append(records)
        var values: [[UInt8]?] = []
        var batch = LogBatch()
        while values.count < 6 {
            try log.read(PartitionID(0), from: Offset(Int64(values.count)), maxBytes: 500_000, into: &batch)
            values += batch.entries.map { $0.value.map { Array(batch.bytes[$0]) } }
        }
        #expect(values == records.map(\.value))
    }

    @Test func `memory and file together give every record, whatever the tail still holds`() throws {
        let directory = try TemporaryDirectory()
        let log = try open(directory.path) { $0.tailBytes = 2_000 }
        defer { log.close() }
        for number in 0..<300 { _ = try log.append([record(number, in: number % 2)]) }
        for start in stride(from: Int64(0), through: 150, by: 7) {
            #expect(try readNumbers(log, 0, from: start) == (Int(start)..<150).map { 2 * $0 })
        }
    }

    @Test func `the WAL is moved into the file while appends go on, and stays bounded`() throws {
        let directory = try TemporaryDirectory()
        let log = try open(directory.path) { settings in
            settings.walBytes = 1 << 20
            settings.compressionLevel = nil
        }
        for number in 0..<1_000 { _ = try log.append([record(number, bytes: 20_000)]) }
        var status = stat()
        #expect(stat(log.path + "-wal", &status) == 0)
        #expect(status.st_size < 4 << 20, "20 MB went through a WAL of at most 2 MiB and one commit")
        log.close()
    }
}

@Suite struct SQLiteLogRefusalTests {
    @Test func `another partition count is refused with both numbers`() throws {
        let directory = try TemporaryDirectory()
        try open(directory.path).close()
        #expect {
            try open(directory.path) { $0.partitionCount = 6 }
        } throws: { "\($0)".contains("has 12 partitions and cannot be opened with 6") }
    }

    @Test func `another topic is refused with both names`() throws {
        let directory = try TemporaryDirectory()
        try open(directory.path).close()
        #expect {
            try SQLiteLog(directory: directory.path, topic: "telemetry.baseline")
        } throws: { "\($0)".contains("holds the topic telemetry.chassis, not telemetry.baseline") }
    }

    @Test func `a directory in use is refused with its name and the process`() throws {
        let directory = try TemporaryDirectory()
        let log = try open(directory.path)
        #expect {
            try open(directory.path)
        } throws: { "\($0)".contains("another node (process \(getpid())) uses \(directory.path)") }
        log.close()
        try open(directory.path).close()
    }

    @Test(arguments: ["/proc/slipstream", "/dev/null/log"])
    func `a directory that cannot be made is named with the reason`(path: String) {
        #expect {
            try open(path)
        } throws: { "\($0)".hasPrefix("cannot make \(path)") || "\($0)".hasPrefix("cannot make /dev/null/") }
    }

    @Test func `a file that is no database is refused with its name`() throws {
        let directory = try TemporaryDirectory()
        try overwrite(directory.path + "/log.db", at: 0, with: Array(repeating: 0x55, count: 10_000))
        #expect {
            try open(directory.path)
        } throws: { "\($0)".contains("\(directory.path)/log.db is damaged (file is not a database)") }
    }
}

@Suite struct SQLiteLogDamageTests {
    /// 40 records of 2 KB, each in a row of its own, none in memory.
    private func makeLog(_ directory: String) throws {
        let log = try open(directory) { settings in
            settings.rowBytes = 1
            settings.compressionLevel = nil
        }
        _ = try log.append((0..<40).map { record($0, bytes: 2_000) })
        log.close()
    }
    private func openWithoutTail(_ directory: String) throws -> SQLiteLog { try open(directory) { $0.tailBytes = 0 } }

    @Test func `a flipped byte is noticed with partition and offset, and what comes before stays readable`() throws {
        let directory = try TemporaryDirectory()
        try makeLog(directory.path)
        let place = try #require(find("25 aaaaa", in: directory.path + "/log.db"))
        try overwrite(directory.path + "/log.db", at: place + 100, with: [0x62])
        let log = try openWithoutTail(directory.path)
        defer { log.close() }
        var batch = LogBatch()
        try log.read(PartitionID(0), from: .zero, maxBytes: 1 << 20, into: &batch)
        #expect(batch.entries.last?.offset == Offset(24))
        #expect {
            try log.read(PartitionID(0), from: Offset(25), maxBytes: 1 << 20, into: &batch)
        } throws: { error in
            guard case LogError.corrupt(PartitionID(0), Offset(25), let reason) = error else { return false }
            return reason.contains("check sum") && reason.contains(directory.path)
        }
        #expect(try readNumbers(log, from: 26) == Array(26..<40))
    }

    @Test func `a file that is cut off or overwritten gives errors, never a crash, and never other records`() throws {
        var random = SeededRandom(seed: 5)
        for _ in 0..<40 {
            let directory = try TemporaryDirectory()
            let path = directory.path + "/log.db"
            try makeLog(directory.path)
            var status = stat()
            try #require(stat(path, &status) == 0)
            let place = Int.random(in: 0..<Int(status.st_size), using: &random)
            if Bool.random(using: &random) {
                try #require(truncate(path, place) == 0)
            } else {
                let junk = (0..<3_000).map { _ in UInt8.random(in: 0...255, using: &random) }
                try overwrite(path, at: place, with: junk)
            }
            // Opening, reading: each may fail with a description, none may give what was never stored.
            do {
                let log = try openWithoutTail(directory.path)
                defer { log.close() }
                for offset in 0..<40 {
                    var batch = LogBatch()
                    do throws(LogError) {
                        try log.read(PartitionID(0), from: Offset(Int64(offset)), maxBytes: 1, into: &batch)
                        #expect(batch.values.allSatisfy { $0.hasPrefix("\(offset) aaa") })
                    } catch {
                        #expect(!error.description.isEmpty)
                    }
                }
            } catch {
                #expect("\(error)".contains(directory.path))
            }
        }
    }
}

private func overwrite(_ path: String, at place: Int, with bytes: [UInt8]) throws {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT, 0o644)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    try #require(pwrite(descriptor, bytes, bytes.count, place) == bytes.count)
}

private func find(_ text: String, in path: String) -> Int? {
    let descriptor = Glibc.open(path, O_RDONLY)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = read(descriptor, &bytes, bytes.count)
    let pattern = Array(text.utf8)
    return (0..<max(0, count - pattern.count)).first { bytes[$0...].starts(with: pattern) }
}
