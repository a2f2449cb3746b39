import Replication
import Storage
import Telemetry
import Testing
import Threads

@Suite struct LogWriterTests {
    @Test func `what is offered is appended in order and each offer gets its own offsets`() throws {
        let log = MemoryLog(topic: "t", partitionCount: 2)
        let writer = try LogWriter(log)
        let answers = Answers()
        for number in 0..<100 {
            let records = [record(number), record(number, in: 1)]
            #expect(writer.offer(records) { answers.add(number, $0) })
        }
        writer.close()
        for number in 0..<100 {
            #expect(answers[number] == .success([Offset(Int64(number)), Offset(Int64(number))]))
        }
        #expect(writer.metrics.records == 200)
        #expect(writer.metrics.queueBytes == 0 && writer.metrics.queueRecords == 0)
    }

    @Test func `what waits while an append is under way shares the next one`() throws {
        let log = GatedLog()
        let writer = try LogWriter(log)
        let answers = Answers()
        #expect(writer.offer([record(0)]) { answers.add(0, $0) })
        log.waitForAppend()
        for number in 1..<50 { #expect(writer.offer([record(number)]) { answers.add(number, $0) }) }
        log.open()
        writer.close()
        #expect(log.sizes == [1, 49])
        #expect(answers[49] == .success([Offset(49)]))
        #expect(writer.metrics.commits == 2)
    }

    @Test func `a full queue refuses, and takes again when it has been written`() throws {
        let log = GatedLog()
        var settings = LogWriter.Settings()
        settings.queueRecordsMax = 3
        let writer = try LogWriter(log, settings: settings)
        let answers = Answers()
        #expect(writer.offer([record(0)]) { answers.add(0, $0) })
        log.waitForAppend()
        #expect(writer.offer([record(1), record(2)]) { answers.add(1, $0) })
        #expect(!writer.offer([record(3)]) { answers.add(3, $0) })
        #expect(writer.metrics.recordsRefused == 1)
        log.open()
        answers.waitFor(1)
        writer.waitUntilEmpty()
        #expect(writer.offer([record(3)]) { answers.add(3, $0) })
        writer.close()
        #expect(answers[3] == .success([Offset(3)]))
    }

    @Test func `the queue is bounded in bytes, but an empty one takes what is larger`() throws {
        let log = GatedLog()
        var settings = LogWriter.Settings()
        settings.queueBytesMax = 10
        let writer = try LogWriter(log, settings: settings)
        #expect(writer.offer([record(0)]) { _ in })
        log.waitForAppend()
        #expect(!writer.offer([record(1)]) { _ in })
        log.open()
        writer.close()
    }

    @Test func `a stray partition refuses its own offer and no other`() throws {
        let log = MemoryLog(topic: "t", partitionCount: 2)
        let writer = try LogWriter(log)
        let answers = Answers()
        #expect(writer.offer([record(0), record(1, in: 7)]) { answers.add(0, $0) })
        #expect(writer.offer([record(2)]) { answers.add(1, $0) })
        writer.close()
        #expect(answers[0] == .failure(.noSuchPartition(PartitionID(7), count: 2)))
        #expect(answers[1] == .success([.zero]))
    }

    @Test func `a failure reaches everyone whose records were in the append`() throws {
        let log = MemoryLog(topic: "t", partitionCount: 1)
        log.close()
        let writer = try LogWriter(log)
        let answers = Answers()
        #expect(writer.offer([record(0)]) { answers.add(0, $0) })
        writer.close()
        #expect(answers[0] == .failure(.closed))
        #expect(writer.metrics.commitsFailed == 1)
    }

    @Test func `behind what could not be stored nothing of the same lane is, until it comes in another one`() throws {
        let log = GatedLog(failing: [1])
        var settings = LogWriter.Settings()
        settings.commitBytesMax = 1
        let writer = try LogWriter(log, settings: settings)
        let answers = Answers()
        let (lane, other, next) = (AppendLane(), AppendLane(), AppendLane())
        for (number, lane) in [lane, lane, other, lane].enumerated() {
            #expect(writer.offer([record(number)], in: lane) { answers.add(number, $0) })
        }
        log.open()
        answers.waitFor(3)
        // Offered before anybody heard of the failure, and after.
        #expect(writer.offer([record(4)], in: lane) { answers.add(4, $0) })
        #expect(writer.offer([record(5)], in: next) { answers.add(5, $0) })
        writer.close()
        #expect(answers[0] == .success([.zero]) && answers[2] == .success([Offset(1)]))
        for number in [1, 3, 4] { #expect(answers[number] == .failure(.io(reason: "refused"))) }
        #expect(answers[5] == .success([Offset(2)]))
        #expect(writer.metrics.queueBytes == 0 && writer.metrics.queueRecords == 0)
    }

    @Test func `a closed writer takes nothing`() throws {
        let writer = try LogWriter(MemoryLog(topic: "t", partitionCount: 1))
        writer.close()
        #expect(!writer.offer([record(0)]) { _ in })
    }
}

extension LogWriter {
    fileprivate func waitUntilEmpty() { while metrics.queueRecords > 0 {} }
}

/// What completions said.
private final class Answers: Sendable {
    private let answers = Monitor<[Int: Result<[Offset], LogError>]>([:])
    func add(_ number: Int, _ result: Result<[Offset], LogError>) { answers.update { $0[number] = result } }
    func waitFor(_ number: Int) { answers.when({ $0.keys.contains(number) }) { _ in } }
    subscript(number: Int) -> Result<[Offset], LogError>? { answers.withLock { $0[number] } }
}

/// A log whose first append waits for `open`.
private final class GatedLog: PartitionedLog {
    private struct State {
        var isOpen = false
        var sizes: [Int] = []
    }
    private let log = MemoryLog(topic: "t", partitionCount: 1)
    private let state = Monitor(State())
    private let failing: Set<Int>

    /// - Parameter failing: which appends fail, from 0.
    init(failing: Set<Int> = []) { self.failing = failing }

    var partitionCount: Int { 1 }
    var sizes: [Int] { state.withLock { $0.sizes } }
    func open() { state.update { $0.isOpen = true } }
    func waitForAppend() { state.when({ !$0.sizes.isEmpty }) { _ in } }

    func append(_ records: [NewRecord]) throws(LogError) -> [Offset] {
        let number = state.update { state in
            state.sizes.append(records.count)
            return state.sizes.count - 1
        }
        state.when({ $0.isOpen }) { _ in }
        if failing.contains(number) { throw .io(reason: "refused") }
        return try log.append(records)
    }
    func read(
        _ partition: PartitionID, from offset: Offset, maxBytes: Int, into batch: inout LogBatch
    ) throws(LogError) { try log.read(partition, from: offset, maxBytes: maxBytes, into: &batch) }
    func earliestOffset(of partition: PartitionID) throws(LogError) -> Offset { try log.earliestOffset(of: partition) }
    func endOffset(of partition: PartitionID) throws(LogError) -> Offset { try log.endOffset(of: partition) }
    func lineage(of partition: PartitionID) throws(LogError) -> UInt64? { try log.lineage(of: partition) }
    func close() { log.close() }
}
