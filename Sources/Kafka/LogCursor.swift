import CRdkafka
import Replication

/// A consumer that stands somewhere in a partition and reads on from there. Used by one thread at a time.
///
/// `@unchecked Sendable`: `CursorPool` hands it to one thread at a time.
final class LogCursor: @unchecked Sendable {
    private let consumer: KafkaConsumer
    private var messages = MessageBuffer()
    /// Where the next record comes from; `nil` before the first read.
    private(set) var place: (partition: PartitionID, next: Offset)?
    private static let patience = Duration.milliseconds(500)

    init(_ consumer: KafkaConsumer) { self.consumer = consumer }

    func isAt(_ partition: PartitionID, _ offset: Offset) -> Bool {
        place.map { $0 == (partition, offset) } ?? false
    }

    /// - Parameter watermarks: asks where the partition begins and ends by now; called only when nothing has arrived.
    func read(
        _ partition: PartitionID, from offset: Offset, maxBytes: Int, into batch: inout LogBatch,
        watermarks: () throws(LogError) -> Watermarks
    ) throws(LogError) {
        if !isAt(partition, offset) {
            // Nothing is fetched that is not there: most reads at the end stop here.
            guard try isThere(partition, offset, watermarks()) else { return }
            try move(to: partition, offset)
        }
        let deadline = ContinuousClock.now + LogCursor.patience
        var wait = Duration.zero
        while ContinuousClock.now < deadline {
            if messages.isEmpty { try consumer.take(into: &messages, waitingUpTo: wait) }
            if try takeRun(partition, maxBytes, &batch, watermarks) { return }
            guard messages.isEmpty else { continue }
            guard try isThere(partition, offset, watermarks()) else { return }
            wait = .milliseconds(100)
        }
        throw .unavailable(
            reason: "Kafka has not sent partition \(partition) from \(offset) on within \(LogCursor.patience)")
    }

    func close() {
        messages.removeAll()
        consumer.close()
    }

    private func isThere(
        _ partition: PartitionID, _ offset: Offset, _ watermarks: Watermarks
    ) throws(LogError) -> Bool {
        guard offset >= watermarks.earliest else {
            throw .truncated(partition, asked: offset, earliest: watermarks.earliest)
        }
        return offset < watermarks.end
    }

    private func move(to partition: PartitionID, _ offset: Offset) throws(LogError) {
        messages.removeAll()
        if let place, place.partition != partition { try consumer.unassign(place.partition) }
        place = nil
        try consumer.assign(partition, from: offset)
        place = (partition, offset)
    }

    /// - Returns: whether the read is answered, be it with nothing.
    private func takeRun(
        _ partition: PartitionID, _ maxBytes: Int, _ batch: inout LogBatch,
        _ watermarks: () throws(LogError) -> Watermarks
    ) throws(LogError) -> Bool {
        while let message = messages.first {
            let isForUs =
                message.pointee.partition == Int32(partition.number) && message.pointee.rkt != nil
                || message.pointee.err == RD_KAFKA_RESP_ERR__FATAL
            guard isForUs, var next = place?.next else {
                messages.dropFirst()
                continue
            }
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                messages.copyRun(maxBytes: maxBytes, from: &next, into: &batch)
                place = (partition, next)
                if !batch.entries.isEmpty { return true }
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                // Behind `next` there may be marks of transactions and no record.
                let end = Offset(message.pointee.offset)
                messages.dropFirst()
                if end > next, try watermarks().end <= end { return true }
            case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
                messages.dropFirst()
                guard try isThere(partition, next, watermarks()) else { return true }
                try consumer.assign(partition, from: next)
            case RD_KAFKA_RESP_ERR__FATAL: throw consumer.fail(describe(message.pointee.err))
            default:
                let reason = describe(message.pointee.err)
                messages.dropFirst()
                throw .unavailable(reason: "partition \(partition) of \(consumer.topic) at \(next): \(reason)")
            }
        }
        return false
    }
}
