import Glibc
import Replication
import Storage
import Testing

/// A process that appends from three threads is killed again and again; the log must keep its word each time.
@Suite struct KillTests {
    @Test(.timeLimit(.minutes(3)))
    func `after kill −9 at 200 instants every acknowledged record is there, once and whole`() throws {
        let directory = try TemporaryDirectory()
        var random = SeededRandom(seed: 9)
        var witness = Witness()
        for life in 0..<200 {
            let torture = try Torture(directory: directory.path)
            // One life in eight ends while the log is still being opened.
            if life % 8 != 0 { torture.waitUntilReady() }
            usleep(UInt32.random(in: 0..<60_000, using: &random))
            let acknowledged = try torture.kill()
            try witness.check(acknowledged, in: directory.path)
        }
        #expect(witness.acknowledged > 2_000, "too little happened to prove anything")
        try witness.checkAll(in: directory.path)
    }
}

/// One record as the process wrote it.
private struct Written: Hashable {
    let thread: Int
    let number: Int
}

/// What is known to be in the log.
private struct Witness {
    private var ends = [Int64](repeating: 0, count: 3)
    private var contents: [[Written]] = [[], [], []]
    private var seen: Set<Written> = []
    private(set) var acknowledged = 0

    /// Reads what is new since the last life and compares it with what was acknowledged in this one.
    mutating func check(_ lines: [String], in directory: String) throws {
        let log = try open(directory)
        defer { log.close() }
        for partition in 0..<3 {
            #expect(try log.endOffset(of: PartitionID(partition)).value >= ends[partition], "the end went back")
            let new = try readWritten(log, partition, from: ends[partition])
            for written in new { #expect(seen.insert(written).inserted, "\(written) is there twice") }
            contents[partition] += new
            ends[partition] += Int64(new.count)
        }
        for line in lines {
            let fields = line.split(separator: " ").compactMap { Int($0) }
            try #require(fields.count == 4, "unexpected: \(line)")
            let expected = Written(thread: fields[2], number: fields[3])
            try #require(fields[1] < contents[fields[0]].count, "acknowledged and gone: \(line)")
            #expect(contents[fields[0]][fields[1]] == expected)
        }
        acknowledged += lines.count
    }

    /// Nothing that was there once has changed later.
    func checkAll(in directory: String) throws {
        let log = try open(directory)
        defer { log.close() }
        for partition in 0..<3 { #expect(try readWritten(log, partition, from: 0) == contents[partition]) }
    }

    private func open(_ directory: String) throws -> SQLiteLog {
        var settings = SQLiteLog.Settings()
        settings.partitionCount = 3
        return try SQLiteLog(directory: directory, topic: "torture", settings: settings)
    }

    /// Also checks that offsets are dense and that no record is torn.
    private func readWritten(_ log: SQLiteLog, _ partition: Int, from offset: Int64) throws -> [Written] {
        var all: [Written] = []
        var batch = LogBatch()
        while true {
            let next = Offset(offset) + all.count
            try log.read(PartitionID(partition), from: next, maxBytes: 256 << 10, into: &batch)
            if batch.entries.isEmpty { return all }
            for (index, value) in batch.values.enumerated() {
                #expect(batch.entries[index].offset == next + index)
                let fields = value.split(separator: " ", omittingEmptySubsequences: false)
                let thread = try #require(Int(fields[0]))
                let number = try #require(Int(fields[1]))
                #expect(fields.count == 3 && fields[2] == String(repeating: "abcdefgh", count: number % 90))
                all.append(Written(thread: thread, number: number))
            }
        }
    }
}

/// One life of `log-torture append`.
private final class Torture {
    private let process: pid_t
    private let output: Int32
    private var text: [UInt8] = []

    init(directory: String) throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        let arguments = [try executable("log-torture"), "append", directory]
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var started: pid_t = 0
        try #require(posix_spawn(&started, arguments[0], &actions, nil, &pointers, environ) == 0)
        close(ends[1])
        process = started
        output = ends[0]
    }

    func waitUntilReady() { while !text.starts(with: "ready\n".utf8), readSome() {} }

    /// - Returns: the lines that came through whole.
    func kill() throws -> [String] {
        #expect(Glibc.kill(process, SIGKILL) == 0)
        while readSome() {}
        close(output)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        try #require(
            status & 0x7F == SIGKILL, "it ended by itself: \(String(decoding: text, as: UTF8.self).suffix(500))")
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.dropLast().drop { $0 == "ready" }.map { String($0) }
    }

    private func readSome() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(output, &buffer, buffer.count)
        if count > 0 { text += buffer.prefix(count) }
        return count > 0
    }
}

/// A program that was built beside the tests.
private func executable(_ name: String) throws -> String {
    var buffer = [CChar](repeating: 0, count: 4_096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let path = own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + name
    try #require(access(path, X_OK) == 0, "\(path) is not there; build it with `swift build`")
    return path
}
