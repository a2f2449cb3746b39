import Commands
import Foundation
import Kafka
import Replication
import Telemetry

/// What a node makes of a Kafka topic, beside what the client library alone can take of it.
struct KafkaBench: Bench {
    static let name = "kafka"
    static let summary = "Kafka → decoder → engine → ring, and a bare consumer of the same topic"
    static let options = [
        "--runs N     default 5", "--batch N    records of one car in a Kafka record; default 1",
        "--records N  in one pass; default 150000. The simulated Kafka keeps 5 MiB a partition",
    ]

    private let runs: Int
    private let perValue: Int
    private let records: Int
    private let partitions = 12

    init(_ arguments: inout Arguments) throws(UsageError) {
        runs = try arguments.takeNumber("--runs", in: 1...100, default: 5)
        perValue = try arguments.takeNumber("--batch", in: 1...10_000, default: 1)
        records = try arguments.takeNumber("--records", in: 10_000...2_000_000, default: 150_000)
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        let result = await onThread { Result { try measure(place.progress) } }
        return try result.get()
    }

    private func measure(_ progress: BenchProgress) throws -> BenchReport {
        let cluster = try MockCluster(brokers: 3)
        defer { cluster.close() }
        let topic = try KafkaBenchTopic(cluster, partitions: partitions)
        defer { topic.log.close() }
        progress.say("filling the topic")
        let feed = try topic.fill(records: records, perValue: perValue)
        var (raw, node): ([KafkaPass], [KafkaPass]) = ([], [])
        for run in 0...runs {
            progress.say(run == 0 ? "warming up" : "run \(run) of \(runs)")
            let passes = (try topic.consumeRaw(feed), try topic.fold(feed))
            guard run > 0 else { continue }
            raw.append(passes.0)
            node.append(passes.1)
        }
        return report(raw, node, feed)
    }

    private func report(_ raw: [KafkaPass], _ node: [KafkaPass], _ feed: KafkaBenchTopic.Feed) -> BenchReport {
        var report = BenchReport(name: KafkaBench.name)
        report.setup = [
            ("partitions", Double(partitions)), ("batch", Double(perValue)), ("records", Double(feed.records)),
            ("record_bytes", Double(feed.bytes / feed.records)), ("runs", Double(runs)),
        ]
        report.notes = [("kafka", "librdkafka's mock in the same process, 3 brokers, lz4")]
        report.figures = [
            Figure("ratio", zip(node, raw).map { $0.perSecond / $1.perSecond }, decimals: 3, budget: .atLeast(0.5)),
            Figure("records_per_second", node.map(\.perSecond)),
            Figure("raw_records_per_second", raw.map(\.perSecond)),
            Figure("thread_ns_per_record", node.map(\.threadNanoseconds)),
            Figure("raw_thread_ns_per_record", raw.map(\.threadNanoseconds)),
            Figure("reader_ns_per_record", node.map(\.readerNanoseconds)),
            Figure("engine_ns_per_record", node.map(\.engineNanoseconds)),
            Figure("ring_ns_per_record", node.map(\.ringNanoseconds)),
            Figure("process_ns_per_record", node.map(\.processNanoseconds)),
            Figure("raw_process_ns_per_record", raw.map(\.processNanoseconds)),
        ]
        return report
    }
}

/// One pass over the topic: seconds of the clock and of processors, per record.
struct KafkaPass {
    var perSecond = 0.0
    /// Of the consuming thread, processor time.
    var threadNanoseconds = 0.0
    /// Of all threads: the client's and the simulated brokers' too.
    var processNanoseconds = 0.0
    var readerNanoseconds = 0.0
    var engineNanoseconds = 0.0
    var ringNanoseconds = 0.0
}
