import Compression
import Kafka
import Replication
import Telemetry
import Threads

/// The compacted topic in which leaders keep snapshots for all nodes, once it is there. Without it nodes have their peers
/// and their own stores.
final class SharedSnapshots: SnapshotStore {
    private struct State {
        var log: KafkaLog?
        var store: TopicSnapshotStore?
        var isClosed = false
    }

    /// More than any node holds in memory for one shard.
    private static let snapshotBytesMax = 1 << 30
    private static let answerLimit = Duration.seconds(2)

    let topic: String
    private let configuration: KafkaConfiguration
    private let source: String
    private let journal: Log
    private let state = Monitor(State())

    /// - Parameter source: the telemetry topic.
    init(_ configuration: KafkaConfiguration, topic: String, of source: String, journal: Log) {
        // A node that stops must not wait longer than this for a broker that has gone.
        self.configuration = configuration.with("delivery.timeout.ms", "5000").with("request.timeout.ms", "4000")
        self.topic = topic
        self.source = source
        self.journal = journal
    }

    /// Looks whether the topic is there by now. Blocks.
    /// - Throws: why it is not, and how to create it.
    func open() throws(KafkaError) {
        guard state.withLock({ $0.log == nil && !$0.isClosed }) else { return }
        var settings = KafkaLog.Settings()
        settings.cursorsMax = 1
        let log = try KafkaLog(configuration, topic: topic, within: SharedSnapshots.answerLimit, settings: settings)
        let journal = journal
        let store = TopicSnapshotStore(
            log, of: source, clock: { .wall }, squeeze: { Zstd.compress($0) },
            expand: { (bytes) throws(SnapshotError) in
                do throws(ZstdError) {
                    return try Zstd.decompress(bytes, limit: SharedSnapshots.snapshotBytesMax)
                } catch { throw .corrupt(reason: "\(error)") }
            },
            damaged: { shard, error in
                journal.error("snapshot skipped", [.partition: "\(shard)", .path: "topic", .reason: "\(error)"])
            })
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            (state.log, state.store) = (log, store)
            return true
        }
        if !isTaken { log.close() }
    }

    var isOpen: Bool { state.withLock { $0.store != nil } }

    func save(_ bytes: [UInt8], of partition: PartitionID, at offset: Offset) throws(LogError) {
        try store?.save(bytes, of: partition, at: offset)
    }

    func offsets(of partition: PartitionID) throws(LogError) -> [Offset] { try store?.offsets(of: partition) ?? [] }

    func load(_ partition: PartitionID, at offset: Offset) throws(LogError) -> [UInt8]? {
        try store?.load(partition, at: offset)
    }

    func close() {
        let log = state.withLock { state in
            state.isClosed = true
            state.store = nil
            return state.log.take()
        }
        log?.close()
    }

    private var store: TopicSnapshotStore? { state.withLock { $0.store } }
}
