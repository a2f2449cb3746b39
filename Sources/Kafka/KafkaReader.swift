import CRdkafka
import Replication

/// Follows partitions of one topic with a consumer of its own, and with another when that one has got stuck.
///
/// `@unchecked Sendable`: one thread owns it; what `wake` and the watchdog touch is `progress`.
final class KafkaReader: LogReader, @unchecked Sendable {
    let progress = ReaderProgress()
    private let log: KafkaLog
    private var consumer: KafkaConsumer
    private var messages = MessageBuffer()
    /// Of partitions that are read, the offset behind the last record handed out. Others stand still.
    private var next: [PartitionID: Offset] = [:]
    /// Reached by records, and not said yet. A partition that never pauses has no end of its own in what is fetched.
    private var reached: (partition: PartitionID, end: Offset)?
    private var told: [PartitionID: Offset] = [:]
    /// Where partitions ended that have not been read to their end since they were assigned, and when.
    private var goals: [PartitionID: (end: Offset, at: ContinuousClock.Instant)] = [:]
    private static let moment = Duration.milliseconds(100)
    /// Partitions of a topic that was not there for a while: it may be another one now.
    private var suspects: Set<PartitionID> = []

    init(_ log: KafkaLog, _ consumer: KafkaConsumer) {
        self.log = log
        self.consumer = consumer
        progress.use(consumer)
    }

    func assign(_ partition: PartitionID, from offset: Offset) throws(LogError) {
        try progress.checkOpen()
        try log.check(partition)
        messages.removeAll(of: partition)
        try consumer.assign(partition, from: offset)
        next[partition] = offset
        told[partition] = nil
        goals[partition] = nil
        suspects.remove(partition)
        progress.note(partition, offset)
    }

    func unassign(_ partition: PartitionID) throws(LogError) {
        try progress.checkOpen()
        messages.removeAll(of: partition)
        stand(partition)
        try consumer.unassign(partition)
    }

    func next(
        maxBytes: Int, waitingUpTo limit: Duration, into batch: inout LogBatch
    ) throws(LogError) -> LogReading {
        batch.removeAll()
        try progress.checkOpen()
        if progress.isStuck { try replaceConsumer() }
        if let (partition, end) = reached {
            reached = nil
            if next[partition] == end, let reading = reachedEnd(partition, end) { return reading }
        }
        var wait = limit
        while true {
            if messages.isEmpty {
                try consumer.take(into: &messages, waitingUpTo: wait)
                progress.noteTake()
                try progress.checkOpen()
                wait = .zero
            }
            guard let message = messages.first else { return .idle }
            if let reading = try take(message, maxBytes, &batch) { return reading }
        }
    }

    func wake() { progress.wake() }

    func close() {
        progress.close()
        messages.removeAll()
        consumer.close()
    }

    deinit { close() }

    private func stand(_ partition: PartitionID) {
        next[partition] = nil
        progress.note(partition, nil)
    }

    /// - Returns: `nil` when the message says nothing to the caller.
    private func take(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ maxBytes: Int, _ batch: inout LogBatch
    ) throws(LogError) -> LogReading? {
        let partition = PartitionID(Int(message.pointee.partition))
        guard message.pointee.rkt != nil else {
            // About the client, whatever partition it names.
            defer { messages.dropFirst() }
            try takeError(of: message)
            return nil
        }
        guard let position = next[partition] else {
            messages.dropFirst()
            return nil
        }
        if suspects.contains(partition), message.pointee.err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART {
            guard try log.isUnchanged(partition) else { return try shortened(partition, position) }
            suspects.remove(partition)
        }
        switch message.pointee.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR: return copyRun(of: partition, from: position, maxBytes, &batch)
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            let end = max(position, Offset(message.pointee.offset))
            messages.dropFirst()
            move(partition, to: end)
            return reachedEnd(partition, end)
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
            messages.dropFirst()
            return try outOfRange(partition, position)
        default:
            defer { messages.dropFirst() }
            try takeError(of: message)
            return nil
        }
    }

    private func copyRun(
        of partition: PartitionID, from position: Offset, _ maxBytes: Int, _ batch: inout LogBatch
    ) -> LogReading? {
        var position = position
        messages.copyRun(maxBytes: maxBytes, from: &position, into: &batch) {
            log.misplaced.look(at: $0, in: partition)
        }
        guard !batch.entries.isEmpty else { return nil }
        log.seen(batch, of: partition)
        move(partition, to: position)
        look(partition, position)
        return .records(partition)
    }

    /// Notes when the end is reached. Until that is so for the first time, the end as it was a moment ago will do: one
    /// that moves on with every answer may never be met.
    private func look(_ partition: PartitionID, _ position: Offset) {
        guard let end = consumer.lastEnd(of: partition) else { return }
        if position >= end {
            reached = (partition, position)
        } else if told[partition] == nil {
            let now = ContinuousClock.now
            guard let goal = goals[partition] else { return goals[partition] = (end, now) }
            guard position >= goal.end else { return }
            goals[partition] = (end, now)
            if now - goal.at <= KafkaReader.moment { reached = (partition, position) }
        }
    }

    private func reachedEnd(_ partition: PartitionID, _ end: Offset) -> LogReading? {
        guard told[partition] != end else { return nil }
        told[partition] = end
        return .end(partition, end)
    }

    private func move(_ partition: PartitionID, to offset: Offset) {
        next[partition] = offset
        progress.note(partition, offset)
    }

    private func outOfRange(_ partition: PartitionID, _ position: Offset) throws(LogError) -> LogReading? {
        let watermarks = try log.watermarks(of: partition)
        if position < watermarks.earliest {
            stand(partition)
            return .truncated(partition, asked: position, earliest: watermarks.earliest)
        }
        if position > watermarks.end { return try shortened(partition, position) }
        // It is in range after all: a leader that had just changed did not know.
        try consumer.assign(partition, from: position)
        return nil
    }

    private func shortened(_ partition: PartitionID, _ position: Offset) throws(LogError) -> LogReading {
        let end = try log.watermarks(of: partition).end
        log.forgetLineage(of: partition)
        messages.removeAll(of: partition)
        stand(partition)
        return .shortened(partition, asked: position, end: end)
    }

    private func takeError(of message: UnsafeMutablePointer<rd_kafka_message_t>) throws(LogError) {
        let partition = PartitionID(Int(message.pointee.partition))
        let reason = message.pointee.payload.map {
            String(decoding: UnsafeRawBufferPointer(start: $0, count: message.pointee.len), as: UTF8.self)
        }
        switch message.pointee.err {
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            suspects.formUnion(next.keys)
        case RD_KAFKA_RESP_ERR__FATAL: throw consumer.fail(reason ?? "unknown reason")
        case RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
            throw .corrupt(partition, at: Offset(message.pointee.offset), reason: reason ?? "a bad record")
        default: break
        }
        consumer.note(reason ?? describe(message.pointee.err))
    }

    /// The same places, read by a new client; the old one goes on a thread where it may block.
    private func replaceConsumer() throws(LogError) {
        let fresh = try log.makeConsumer()
        messages.removeAll()
        log.dispose(consumer)
        consumer = fresh
        progress.use(fresh)
        for (partition, offset) in next.sorted(by: { $0.key < $1.key }) { try fresh.assign(partition, from: offset) }
    }

    /// For tests: the client stops handing out `partition`.
    func stall(_ partition: PartitionID) throws(LogError) { try consumer.stall(partition) }

    /// For tests.
    func failForGood(_ reason: String) throws(LogError) { try consumer.failForGood(reason) }
}
