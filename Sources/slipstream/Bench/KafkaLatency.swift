import Client
import Foundation
import Kafka
import Replication
import Sharding
import Telemetry
import Threads

/// How long a record takes from a Kafka producer to a program: producer → Kafka → node → SDK. `bench latency --kafka`.
///
/// As in the embedded case records go by a schedule, and a record's time begins when it was to be sent. Afterwards, with
/// the same load going on, a bare consumer reads the topic too, and a producer waits for each of its answers: what is
/// left of the whole way beyond the consumer's is the node's and the SDK's part.
struct KafkaLatency: Sendable {
    private static let cars = 20
    private static let budget = 15.0
    private static let partsSeconds = 5

    /// A car's records come together so often.
    private static let burstsPerSecond = 100
    private static let partitions = 12
    /// The mock sends an empty answer after all of this, though records have come meanwhile; a broker does not.
    private static let fetchWaitMilliseconds = 5

    let rate: Int
    let seconds: Int
    let warmUpSeconds: Int

    private var burst: Int { max(1, rate / (KafkaLatency.cars * KafkaLatency.burstsPerSecond)) }

    func run(in place: BenchPlace) async throws -> BenchReport {
        let journal = BenchJournal(isShown: false)
        place.progress.say("starting a simulated Kafka and a node")
        let cluster = try BenchCluster(
            in: place, nodes: 1,
            arguments: [
                "--partitions", "\(KafkaLatency.partitions)", "--kafka-config",
                "fetch.wait.max.ms=\(KafkaLatency.fetchWaitMilliseconds)",
            ], journal: journal)
        try await cluster.start()
        let client = try SlipstreamClient(urls: cluster.urls)
        let watch = RaceWatch()
        let listening = Task { await watch.listen(client) }
        let race = try SteadyRace(
            kafka: cluster.kafka, cars: KafkaLatency.cars, rate: rate, burst: burst,
            partitions: KafkaLatency.partitions)
        race.start()
        guard await watch.awaitAll(KafkaLatency.cars, times: 10, within: .seconds(20)) else {
            throw BenchError("the client does not hear all streams: \(watch.failure ?? journal.tail)")
        }
        try await Task.sleep(for: .seconds(warmUpSeconds))
        place.progress.say("\(rate) records/s for \(seconds) s")
        watch.keepLatencies()
        try await Task.sleep(for: .seconds(seconds))
        let whole = watch.latencies
        place.progress.say("the parts of the way, \(KafkaLatency.partsSeconds) s")
        let parts = try LatencyParts(kafka: cluster.kafka)
        watch.keepLatencies()
        try await Task.sleep(for: .seconds(KafkaLatency.partsSeconds))
        let beside = watch.latencies
        let (answers, arrivals) = try parts.end()
        try race.stop()
        _ = await watch.awaitAll(through: race.steps, within: .seconds(10))
        let missing = watch.missing(through: race.steps)
        listening.cancel()
        await client.close()
        var report = report(whole, watch.counts, missing)
        report.figures += KafkaLatency.figures("produce_ack", answers) + KafkaLatency.figures("consumer", arrivals)
        report.figures += KafkaLatency.figures("handler_beside", beside)
        return report
    }

    private func report(
        _ whole: [Double], _ counts: (lost: Int, repeated: Int, resyncs: Int), _ missing: Int
    ) -> BenchReport {
        var report = BenchReport(name: LatencyBench.name)
        report.setup = [
            ("rate", Double(rate)), ("duration_s", Double(seconds)), ("cars", Double(KafkaLatency.cars)),
            ("burst", Double(burst)), ("fetch_wait_max_ms", Double(KafkaLatency.fetchWaitMilliseconds)),
            ("records", Double(whole.count)),
        ]
        report.notes = [("log", "kafka"), ("machine", BenchMachine.description)]
        report.figures = [
            Figure("p50_ms", whole.percentile(0.5), decimals: 2),
            Figure("p90_ms", whole.percentile(0.9), decimals: 2),
            Figure("p99_ms", whole.percentile(0.99), decimals: 2, budget: .atMost(KafkaLatency.budget)),
            Figure("p999_ms", whole.percentile(0.999), decimals: 2),
            Figure("max_ms", whole.max() ?? 0, decimals: 2),
            Figure("lost", Double(counts.lost + missing), budget: .atMost(0)),
            Figure("repeated", Double(counts.repeated), budget: .atMost(0)),
        ]
        return report
    }

    private static func figures(_ name: String, _ milliseconds: [Double]) -> [Figure] {
        [
            Figure("\(name)_p50_ms", milliseconds.percentile(0.5), decimals: 2),
            Figure("\(name)_p99_ms", milliseconds.percentile(0.99), decimals: 2),
        ]
    }
}

/// Beside the node: how long Kafka takes to acknowledge, and when a bare consumer has a record. ms.
final class LatencyParts: Sendable {
    private struct State {
        var ends = false
        var answers: [Double] = []
        var arrivals: [Double] = []
        var failure: (any Error)?
        var running = 2
    }

    /// ns
    private static let settling: Int64 = 1_500_000_000

    private let log: KafkaLog
    private let state = Monitor(State())

    /// Begins both, each on a thread of its own.
    init(kafka: String) throws {
        log = try KafkaLog(try KafkaConfiguration(brokers: kafka), topic: SteadyRace.topic)
        Thread.detachNewThread { self.attempt { try self.produce() } }
        Thread.detachNewThread { self.attempt { try self.consume() } }
    }

    func end() throws -> (answers: [Double], arrivals: [Double]) {
        state.update { $0.ends = true }
        let result = state.when({ $0.running == 0 }) { ($0.answers, $0.arrivals, $0.failure) }
        log.close()
        if let failure = result.2 { throw failure }
        return (result.0, result.1)
    }

    private var ends: Bool { state.withLock { $0.ends } }

    private func attempt(_ body: () throws -> Void) {
        let result = Result { try body() }
        state.update { state in
            if case .failure(let error) = result { state.failure = error }
            state.running -= 1
        }
    }

    /// A car more, whose records are sent one by one.
    private func produce() throws {
        var race = BenchRace(cars: 1, seed: 99)
        let key = Array(race.chassis[0].utf8)
        let partition = PartitionID(Partitioner.partition(ofKey: key, count: log.partitionCount))
        while !ends {
            let record = NewRecord(
                partition: partition, key: key, value: race.records()[0],
                timestamp: Timestamp(milliseconds: 1_763_596_800_000))
            let start = monotonicNanoseconds()
            _ = try log.append([record])
            let answered = monotonicNanoseconds()
            state.withLock { $0.answers.append(Double(answered - start) / 1_000_000) }
            usleep(10_000)
        }
    }

    private func consume() throws {
        let reader = try log.makeReader()
        defer { reader.close() }
        for number in 0..<log.partitionCount {
            let partition = PartitionID(number)
            try reader.assign(partition, from: try log.endOffset(of: partition))
        }
        // Partitions begin one after the other, and what came meanwhile is no figure.
        let begin = monotonicNanoseconds() + LatencyParts.settling
        var batch = LogBatch()
        while !ends {
            guard case .records = try reader.next(maxBytes: 1 << 20, waitingUpTo: .milliseconds(50), into: &batch)
            else {
                continue
            }
            let arrived = monotonicNanoseconds()
            guard arrived >= begin else { continue }
            let now = Double(arrived) / 1_000_000
            let arrivals = batch.entries.compactMap { entry in
                entry.value.flatMap { LatencyParts.due(in: batch.bytes[$0]) }.map { now - $0 }
            }
            state.withLock { $0.arrivals += arrivals }
        }
    }

    /// ms: the number at the end of `{…,"bench_us":N}`; `nil` for a record that has none.
    private static func due(in record: ArraySlice<UInt8>) -> Double? {
        let digits = record.dropLast().suffix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let before = record.dropLast().dropLast(digits.count)
        guard record.last == UInt8(ascii: "}"), before.suffix(11).elementsEqual("\"bench_us\":".utf8) else {
            return nil
        }
        return Double(String(decoding: digits, as: UTF8.self)).map { $0 / 1_000 }
    }
}

extension ArraySlice<UInt8> {
    /// The longest end all of whose elements are so.
    fileprivate func suffix(while isTaken: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let begin = lastIndex { !isTaken($0) }.map { $0 + 1 } ?? startIndex
        return self[begin...]
    }
}
