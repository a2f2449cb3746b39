import Glibc
import Replication
import Storage
import Telemetry
import Threads

/// Figures of one disk; `docs/performance.md` says what they were where they were last taken.
func measure(directory: String) throws {
    let seconds = 10.0
    for level in [nil, 1] as [Int?] {
        let name = level.map { "zstd-\($0)" } ?? "plain"
        let path = "\(directory)/\(name)"
        var settings = SQLiteLog.Settings()
        settings.compressionLevel = level
        var log = try SQLiteLog(directory: path, topic: "telemetry.chassis", settings: settings)
        let batches = makeBatches()
        try throughput(log, batches, name, seconds: seconds)
        log.close()
        let opening = ContinuousClock.now
        log = try SQLiteLog(directory: path, topic: "telemetry.chassis", settings: settings)
        var records: Int64 = 0
        for number in 0..<log.partitionCount { records += try log.endOffset(of: PartitionID(number)).value }
        say("\(name): reopened with \(records) log records in \(ContinuousClock.now - opening)\n")
        try reading(log, name)
        try latency(log, name, seconds: 2 * seconds)
        log.close()
    }
}

/// A body of 500 wide records is 20 log records (one per car) of some 6 KB.
private func makeBatches() -> [[NewRecord]] {
    var state: UInt64 = 42
    func next(_ bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }
    return (0..<16).map { _ in
        (0..<20).map { car in
            let rows = (0..<25).map { row in
                """
                {"meta_time":"2025-09-06T18:40:\(10 + row).\(100 + next(900))Z","track":"barber","chassis":"GR86-\(100 + car)",\
                "lap":\(next(30)),"lapdist_m":\(next(3_700_000)).\(next(10)),"speed_kmh":\(next(220)).\(next(100)),\
                "accx_can":0.\(next(1_000)),"accy_can":-0.\(next(1_000)),"Steering_Angle":\(next(180)).\(next(10)),\
                "pbrake_f":\(next(90)).\(next(100)),"rpm":\(3_000 + next(4_000))}
                """
            }
            return NewRecord(
                partition: PartitionID(car % 12), key: Array("GR86-\(100 + car)".utf8),
                value: Array("[\(rows.joined(separator: ","))]".utf8), timestamp: Timestamp(microseconds: 1))
        }
    }
}

private func throughput(_ log: SQLiteLog, _ batches: [[NewRecord]], _ name: String, seconds: Double) throws {
    let bytes = batches[0].reduce(0) { $0 + ($1.value?.count ?? 0) }
    for depth in [1, 8] {
        let done = Counter()
        let start = ContinuousClock.now
        let workers = try (0..<depth).map { worker in
            try Worker("bench") {
                var index = worker
                while ContinuousClock.now - start < .seconds(seconds / 2) {
                    guard (try? log.append(batches[index % batches.count])) != nil else { return }
                    done.add()
                    index += 1
                }
            }
        }
        for worker in workers { worker.join() }
        let taken = (ContinuousClock.now - start) / .seconds(1)
        let rate = Double(done.value) / taken
        say(
            "\(name): \(depth) at a time: \(Int(rate)) appends/s, \(Int(rate * 500)) telemetry records/s,"
                + " \(Int(rate * Double(bytes) / 1e6)) MB/s\n")
    }
}

private func reading(_ log: SQLiteLog, _ name: String) throws {
    var batch = LogBatch()
    var bytes = 0
    let start = ContinuousClock.now
    for number in 0..<log.partitionCount {
        var next = Offset.zero
        while true {
            try log.read(PartitionID(number), from: next, maxBytes: 1 << 20, into: &batch)
            guard let last = batch.entries.last else { break }
            bytes += batch.bytes.count
            next = last.offset + 1
        }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    say("\(name): read \(bytes >> 20) MiB at \(Int(Double(bytes) / 1e6 / seconds)) MB/s\n")
}

/// 1000 appends of 10 records of 300 bytes a second.
private func latency(_ log: SQLiteLog, _ name: String, seconds: Double) throws {
    let value = Array(String(repeating: "\"speed_kmh\":123.4,", count: 17).utf8)
    var times: [Double] = []
    let start = ContinuousClock.now
    var late = 0
    while times.count < Int(seconds * 1_000) {
        let due = start + .milliseconds(times.count)
        let now = ContinuousClock.now
        if now < due { usleep(UInt32((due - now) / .microseconds(1))) } else { late += 1 }
        let records = (0..<10).map { index in
            NewRecord(
                partition: PartitionID((times.count + index) % 12), key: Array("GR86-006-7".utf8), value: value,
                timestamp: Timestamp(microseconds: 1))
        }
        let begin = ContinuousClock.now
        _ = try log.append(records)
        times.append((ContinuousClock.now - begin) / .milliseconds(1))
    }
    times.sort()
    func at(_ share: Double) -> String { "\(Int(times[Int(share * Double(times.count - 1))] * 1_000)) µs" }
    say(
        "\(name): append of 10 records, p50 \(at(0.5)), p99 \(at(0.99)), p99.9 \(at(0.999)), max \(at(1)),"
            + " \(late) of \(times.count) begun late\n")
}

private final class Counter: Sendable {
    private let count = Monitor(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
