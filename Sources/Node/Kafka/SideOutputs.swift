import Delivery
import Kafka
import Replication
import Synchronization
import Telemetry

/// What replicas make for others than clients, and the leader of a shard writes: dead letters and, if asked for, insights
/// and alerts.
final class SideOutputs: Sendable {
    private let log: KafkaLog
    private let insightsTopic: String?
    /// Another node leads the shard. Where nobody does each replica writes: twice does no harm, never would.
    private let isLedElsewhere: @Sendable (PartitionID) -> Bool
    private let missing = Mutex<Set<String>>([])
    private let skipped = Atomic(0)
    private let engineVersion: String

    init(
        _ log: KafkaLog, insightsTopic: String?, tracks: TrackTable,
        isLedElsewhere: @escaping @Sendable (PartitionID) -> Bool
    ) {
        self.log = log
        self.insightsTopic = insightsTopic
        self.isLedElsewhere = isLedElsewhere
        engineVersion = "\(Shard.engineVersion(tracks))"
    }

    /// Topics that should be there.
    var topics: [String] { [log.deadLetterTopic] + (insightsTopic.map { [$0] } ?? []) }

    /// A producer must not be given records for a topic that is not there: they would wait, and others behind them.
    func setMissing(_ topic: String, _ isMissing: Bool) {
        missing.withLock { missing in
            if isMissing { missing.insert(topic) } else { missing.remove(topic) }
        }
    }

    /// Records that were not written for want of a topic.
    var skippedCount: Int { skipped.load(ordering: .relaxed) }

    /// Notes what the fold of a batch gives.
    func note(
        _ scratch: borrowing FoldScratch, of batch: borrowing LogBatch, outputs: borrowing OutputBatch,
        _ shard: borrowing Shard, in pending: inout PendingSideRecords
    ) {
        let hasLetters = !scratch.refused.isEmpty
        guard hasLetters || insightsTopic != nil else { return }
        let now = Timestamp.monotonic
        if hasLetters {
            for letter in log.deadLetters(scratch.refused, of: batch, in: shard.partition) {
                pending.add(letter, at: now)
            }
        }
        if let insightsTopic, let lineage = shard.lineage {
            for entry in outputs.entries where entry.kind != .point {
                pending.add(record(of: entry, in: outputs, shard.streamIDs, lineage, insightsTopic), at: now)
            }
        }
    }

    /// Writes what is to be written by this replica.
    func settle(_ pending: inout PendingSideRecords, of partition: PartitionID) {
        guard !pending.isEmpty else { return }
        guard !isLedElsewhere(partition) else { return pending.forgetOld(at: .monotonic) }
        let missing = missing.withLock { $0 }
        for record in pending.takeAll() {
            if missing.contains(record.topic) { skipped.add(1, ordering: .relaxed) } else { log.post(record) }
        }
    }

    private func record(
        of entry: OutputBatch.Entry, in outputs: borrowing OutputBatch, _ streams: [StreamID], _ lineage: UInt64,
        _ topic: String
    ) -> SideRecord {
        SideRecord(
            topic: topic, key: Array(streams[Int(entry.stream)].description.utf8),
            value: Array(outputs.bytes[entry.start..<entry.start + entry.count]),
            headers: [
                .init("lineage", "\(Lineage(lineage))"), .init("seq", "\(entry.seq)"),
                .init("kind", "\(entry.kind)"), .init("engine", engineVersion),
            ])
    }
}
