import CRdkafka
import Replication
import Synchronization
import Telemetry

/// One Kafka topic as the log of a cluster.
///
/// Three kinds of use do not disturb each other: readers made by `makeReader` follow partitions, each with a consumer of
/// its own; `read` serves replays from a small pool of consumers; `append` has a producer. It must be closed.
///
/// Timestamps lose what is finer than a millisecond. A topic with `LogAppendTime` has the broker's time.
package final class KafkaLog: FollowableLog {
    package struct Settings: Sendable {
        /// Consumers that `read` keeps; more reads at a time wait.
        package var cursorsMax = 4
        /// A broker that does not answer a question by then has failed it.
        package var callLimit = Duration.seconds(5)
        /// A partition behind its end that has not moved between two looks this far apart gets a new consumer. librdkafka
        /// loses its way now and then when partitions are assigned under load, and clients wait meanwhile.
        package var watchdogInterval = Duration.seconds(1)

        package init() {}
    }

    package let topic: String
    package let partitionCount: Int
    let configuration: KafkaConfiguration
    let settings: Settings
    /// For questions.
    let catalog: KafkaClient
    let producer: KafkaProducer
    let cursors: CursorPool
    let lineages = Mutex<[PartitionID: UInt64]>([:])
    let misplaced: MisplacedKeys
    let sideRecords = Mutex(SideRecordCounts())
    private let keeper: LogKeeper
    private let isClosed = Atomic(false)

    /// Asks the cluster about the topic.
    ///
    /// - Parameters:
    ///   - expected: how many partitions the topic must have; `nil` takes what there is.
    ///   - limit: to wait for an answer; keep it under 10 s, and try again where `KafkaError.isWorthWaiting`.
    /// - Throws: what is in the way and what to do about it.
    package init(
        _ configuration: KafkaConfiguration, topic: String, partitionCount expected: Int? = nil,
        within limit: Duration = .seconds(8), settings: Settings = Settings()
    ) throws(KafkaError) {
        self.topic = topic
        self.configuration = configuration
        self.settings = settings
        catalog = try KafkaClient(configuration, isProducer: false)
        let count: Int
        do throws(KafkaError) {
            count = try catalog.partitionCount(of: topic, within: limit)
        } catch { throw error.expecting(partitions: expected) }
        if let expected, expected != count {
            throw .partitionCount(topic: topic, found: count, expected: expected)
        }
        partitionCount = count
        producer = try KafkaProducer(configuration)
        cursors = CursorPool(configuration, topic: topic, max: settings.cursorsMax)
        misplaced = MisplacedKeys(partitionCount: count)
        keeper = try LogKeeper(catalog: catalog, topic: topic, interval: settings.watchdogInterval)
    }

    /// How the clients fare; `fatal` means that the process must end.
    package var health: KafkaHealth {
        var health = KafkaHealth()
        for part in [catalog.events.health, producer.health] + keeper.readerHealth {
            health.fatal = health.fatal ?? part.fatal
            health.lastError = health.lastError ?? part.lastError
        }
        return health
    }

    package var metrics: KafkaMetrics {
        let side = sideRecords.withLock { $0 }
        return KafkaMetrics(
            misplacedKeys: misplaced.count, misplacedKey: misplaced.example, consumersRecreated: keeper.recreated,
            sideRecords: side.written, sideRecordsLost: side.lost + producer.postsFailed)
    }

    package func append(_ records: [NewRecord]) throws(LogError) -> [Offset] {
        try checkOpen()
        for record in records { try check(record.partition) }
        return try producer.send(records, to: topic).offsets()
    }

    package func read(
        _ partition: PartitionID, from offset: Offset, maxBytes: Int, into batch: inout LogBatch
    ) throws(LogError) {
        batch.removeAll()
        try checkOpen()
        try check(partition)
        let deadline = ContinuousClock.now + KafkaLog.readLimit
        while true {
            let cursor = try cursors.take(for: partition, at: offset)
            do throws(LogError) {
                try cursor.read(partition, from: offset, maxBytes: maxBytes, into: &batch) { () throws(LogError) in
                    try watermarks(of: partition)
                }
                return cursors.put(cursor)
            } catch {
                // One that has lost its way is replaced by another.
                cursors.discard(cursor)
                guard case .unavailable = error, ContinuousClock.now < deadline else { throw error }
            }
        }
    }

    private static let readLimit = Duration.seconds(10)

    /// Follows partitions with a consumer of its own.
    package func makeReader() throws(LogError) -> any LogReader { try makeKafkaReader() }

    func makeKafkaReader() throws(LogError) -> KafkaReader {
        try checkOpen()
        let reader = KafkaReader(self, try makeConsumer())
        keeper.watch(reader.progress)
        return reader
    }

    func makeConsumer() throws(LogError) -> KafkaConsumer {
        do throws(KafkaError) { return try KafkaConsumer(configuration, topic: topic) } catch { throw error.logError }
    }

    /// Closes a consumer where waiting for it does no harm.
    func dispose(_ consumer: KafkaConsumer) { keeper.dispose(consumer) }

    package func earliestOffset(of partition: PartitionID) throws(LogError) -> Offset {
        try watermarks(of: partition).earliest
    }

    package func endOffset(of partition: PartitionID) throws(LogError) -> Offset { try watermarks(of: partition).end }

    package func extent(of partition: PartitionID) throws(LogError) -> (earliest: Offset, end: Offset) {
        let watermarks = try watermarks(of: partition)
        return (watermarks.earliest, watermarks.end)
    }

    func watermarks(of partition: PartitionID) throws(LogError) -> Watermarks {
        try checkOpen()
        try check(partition)
        return try catalog.watermarks(of: partition, in: topic, within: settings.callLimit)
    }

    /// Blocks until what was appended is answered, 5 s at most. Readers say `.closed` from then on; whoever has one
    /// still closes it.
    package func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        keeper.closeReaders()
        producer.close()
        cursors.close()
        keeper.close()
        catalog.close()
    }

    func checkOpen() throws(LogError) {
        if isClosed.load(ordering: .acquiring) { throw .closed }
    }

    func check(_ partition: PartitionID) throws(LogError) {
        guard (0..<partitionCount).contains(partition.number) else {
            throw .noSuchPartition(partition, count: partitionCount)
        }
    }
}

/// Counters for `/metrics`.
package struct KafkaMetrics: Sendable, Equatable {
    /// Keys in a partition where murmur2 would not put them; each counts once.
    package var misplacedKeys: Int
    /// One of them, the first.
    package var misplacedKey: String?
    /// By the watchdog.
    package var consumersRecreated: Int
    /// Dead letters and outputs that were queued.
    package var sideRecords: Int
    /// Refused by a full queue or by the broker.
    package var sideRecordsLost: Int
}
