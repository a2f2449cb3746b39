import Delivery
import Kafka
import Replication
import Sharding
import Telemetry

/// A topic with race telemetry in a simulated Kafka, and two ways to read it from its beginning to its end.
struct KafkaBenchTopic {
    struct Feed {
        /// Telemetry records; `perValue` of them are one Kafka record.
        let records: Int
        let perValue: Int
        let bytes: Int
    }

    private static let name = "telemetry.chassis"
    let log: KafkaLog
    private let configuration: KafkaConfiguration

    init(_ cluster: MockCluster, partitions: Int) throws {
        try cluster.createTopic(KafkaBenchTopic.name, partitions: partitions)
        configuration = try KafkaConfiguration(brokers: cluster.addresses)
        log = try KafkaLog(configuration, topic: KafkaBenchTopic.name)
    }

    /// - Throws: when the simulated Kafka has dropped the oldest, as it does beyond 5 MiB a partition.
    func fill(records: Int, perValue: Int) throws -> Feed {
        var race = BenchRace()
        let rounds = max(1, records / (race.cars * perValue))
        let perAppend = max(1, 20_000 / race.cars)
        var (waiting, bytes): ([NewRecord], Int) = ([], 0)
        for round in 0..<rounds {
            for (chassis, array) in race.arrays(of: perValue) {
                // One record is sent as producers do, an object and no array.
                let json = perValue == 1 ? Array(array.dropFirst().dropLast()) : array
                let partition = Partitioner.partition(ofKey: chassis, count: log.partitionCount)
                bytes += json.count
                waiting.append(
                    NewRecord(
                        partition: PartitionID(partition), key: chassis, value: json,
                        timestamp: Timestamp(milliseconds: 1_763_596_800_000)))
            }
            guard (round + 1) % perAppend == 0 || round == rounds - 1 else { continue }
            _ = try log.append(waiting)
            waiting.removeAll(keepingCapacity: true)
        }
        for partition in partitions where try log.earliestOffset(of: partition) > .zero {
            throw BenchError(
                "partition \(partition) is beyond the 5 MiB that the simulated Kafka keeps: fewer --records")
        }
        return Feed(records: rounds * race.cars * perValue, perValue: perValue, bytes: bytes)
    }

    private var partitions: [PartitionID] { (0..<log.partitionCount).map { PartitionID($0) } }

    /// Batches of the bare client, from the first that arrives to the last.
    func consumeRaw(_ feed: Feed) throws -> KafkaPass {
        var consumer = try RawConsumption(configuration, topic: KafkaBenchTopic.name)
        defer { consumer.close() }
        for partition in partitions { try consumer.assign(partition) }
        var watch = PassWatch()
        var (records, ends) = (0, 0)
        while ends < partitions.count {
            let taken = try consumer.take(waitingUpTo: .milliseconds(100))
            if records == 0 { watch.begin() }
            records += taken.records
            ends += taken.ends
        }
        guard records * feed.perValue == feed.records else {
            throw BenchError("\(records) Kafka records came, of \(feed.records / feed.perValue)")
        }
        return watch.end(records: feed.records)
    }

    /// What a node does: reader, shards, hub. On one thread, where a node has two.
    func fold(_ feed: Feed) throws -> KafkaPass {
        let reader = try log.makeReader()
        defer { reader.close() }
        var shards = partitions.map { Shard(partition: $0, tracks: .builtIn) }
        var scratch = partitions.map { _ in FoldScratch() }
        var (hub, batch, outputs) = (Hub(), LogBatch(), OutputBatch())
        let decoder = RecordDecoder()
        for partition in partitions { try reader.assign(partition, from: .zero) }
        var watch = PassWatch()
        var (ends, hasBegun) = (0, false)
        while ends < partitions.count {
            let before = threadNanoseconds()
            let reading = try reader.next(maxBytes: 1 << 20, waitingUpTo: .milliseconds(100), into: &batch)
            if !hasBegun, case .records = reading {
                hasBegun = true
                watch.begin()
            } else {
                watch.reader += threadNanoseconds() - before
            }
            switch reading {
            case .records(let partition):
                let number = partition.number
                let start = threadNanoseconds()
                outputs.removeAll()
                shards[number].apply(batch, decoder: decoder, scratch: &scratch[number], into: &outputs)
                let applied = threadNanoseconds()
                for stream in outputs.newStreams {
                    _ = hub.announce(
                        stream.id, shard: number, number: Int(stream.stream), lineage: Lineage(1), floor: [0, 0, 0])
                }
                hub.absorb(outputs, shard: number)
                _ = hub.flush()
                watch.engine += applied - start
                watch.ring += threadNanoseconds() - applied
            case .end: ends += 1
            case .idle: continue
            case .truncated, .shortened: throw BenchError("the simulated Kafka has dropped records")
            }
        }
        let points = hub.byPlace.joined().reduce(0) { $0 + Int($1.end.seq) }
        guard points == feed.records else { throw BenchError("\(points) points of \(feed.records) records") }
        return watch.end(records: feed.records)
    }
}

/// Clocks of one pass, ns.
private struct PassWatch {
    private var start: (wall: Int64, thread: Int64, process: Int64) = (0, 0, 0)
    var reader: Int64 = 0
    var engine: Int64 = 0
    var ring: Int64 = 0

    mutating func begin() { start = (monotonicNanoseconds(), threadNanoseconds(), processNanoseconds()) }

    func end(records: Int) -> KafkaPass {
        func each(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / Double(records) }
        return KafkaPass(
            perSecond: Double(records) / (Double(monotonicNanoseconds() - start.wall) / 1e9),
            threadNanoseconds: each(threadNanoseconds() - start.thread),
            processNanoseconds: each(processNanoseconds() - start.process), readerNanoseconds: each(reader),
            engineNanoseconds: each(engine), ringNanoseconds: each(ring))
    }
}
