import CRdkafka
import Replication
import Threads

/// What became of one record.
package enum Delivery: Equatable, Sendable {
    /// On all replicas in sync. `.unknown` when the broker took a retry for a repeat and did not say where it is.
    case stored(Offset)
    /// Not in the log, for sure. The same may work later when `isRetriable`.
    case refused(reason: String, isRetriable: Bool)
    /// Sent, and no answer came: it may be stored.
    case ambiguous(reason: String)
    /// The producer is beyond repair.
    case fatal(reason: String)
}

/// What became of records produced together, in their order.
package struct DeliveryReport: Sendable {
    package let deliveries: [Delivery]

    /// The offset of each record.
    /// - Throws: `.ambiguous` when some are stored or may be, `.unavailable` or `.io` when none is.
    package func offsets() throws(LogError) -> [Offset] {
        let offsets = deliveries.compactMap { if case .stored(let offset) = $0 { offset } else { nil } }
        if offsets.count == deliveries.count { return offsets }
        var isInDoubt = !offsets.isEmpty
        var first: LogError?
        for delivery in deliveries {
            switch delivery {
            case .stored: continue
            case .fatal(let reason): throw KafkaError.fatal(reason: reason).logError
            case .ambiguous(let reason):
                isInDoubt = true
                first = first ?? .unavailable(reason: reason)
            case .refused(let reason, let isRetriable):
                first = first ?? (isRetriable ? .unavailable(reason: reason) : .io(reason: reason))
            }
        }
        guard isInDoubt, let first else { throw first ?? .closed }
        throw .ambiguous(
            reason:
                "Kafka acknowledged \(offsets.count) of \(deliveries.count) records (\(first.reason ?? "no reason"))")
    }
}

/// Records under way together. Each has a slot, whose address librdkafka hands back with the answer.
///
/// `@unchecked Sendable`: a slot is written by the one call that answers it, before `waiting` counts it, and read after
/// all are counted.
final class PendingDeliveries: @unchecked Sendable {
    struct Slot {
        let batch: Unmanaged<PendingDeliveries>
        var code = RD_KAFKA_RESP_ERR_NO_ERROR
        var status = RD_KAFKA_MSG_STATUS_NOT_PERSISTED
        var offset: Int64 = -1
    }

    private let slots: UnsafeMutableBufferPointer<Slot>
    private let waiting: Monitor<Int>

    init(count: Int) {
        slots = .allocate(capacity: count)
        waiting = Monitor(count)
        slots.initialize(repeating: Slot(batch: Unmanaged.passUnretained(self)))
    }

    deinit { slots.deallocate() }

    func slot(_ index: Int) -> UnsafeMutablePointer<Slot>? { slots.baseAddress.map { $0 + index } }

    /// Called by librdkafka for each record, once. Whoever waits keeps the batch alive until the last.
    static func answer(_ message: UnsafePointer<rd_kafka_message_t>) {
        guard let slot = message.pointee._private?.assumingMemoryBound(to: Slot.self) else { return }
        let batch = slot.pointee.batch.takeUnretainedValue()
        slot.pointee.code = message.pointee.err
        slot.pointee.status = rd_kafka_message_status(message)
        slot.pointee.offset = message.pointee.offset
        batch.count(1)
    }

    /// Records from `index` on were never handed over.
    func abandon(from index: Int, _ code: rd_kafka_resp_err_t) {
        for index in index..<slots.count { slots[index].code = code }
        count(slots.count - index)
    }

    /// Waits for all answers; librdkafka gives each within delivery.timeout.ms.
    func wait() -> DeliveryReport {
        waiting.when({ $0 == 0 }) { _ in }
        return DeliveryReport(deliveries: slots.map(\.delivery))
    }

    private func count(_ answers: Int) {
        let isLast = waiting.withLock { $0 == answers }
        if isLast { waiting.update { $0 -= answers } } else { waiting.withLock { $0 -= answers } }
    }
}

extension PendingDeliveries.Slot {
    fileprivate var delivery: Delivery {
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return .stored(Offset(max(offset, Offset.unknown.value))) }
        let reason = describe(code)
        if code == RD_KAFKA_RESP_ERR__FATAL { return .fatal(reason: reason) }
        if status != RD_KAFKA_MSG_STATUS_NOT_PERSISTED { return .ambiguous(reason: reason) }
        let isTooLarge =
            code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_RECORD
            || code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
        return .refused(reason: reason, isRetriable: !isTooLarge)
    }
}

extension LogError {
    fileprivate var reason: String? {
        switch self {
        case .unavailable(let reason), .io(let reason): reason
        default: nil
        }
    }
}
