import CRdkafka
import Replication
import Telemetry

/// Records taken from a client's queue that have not been handed out. One buffer for all: nothing is made per record.
struct MessageBuffer: ~Copyable {
    private static let capacity = 4_096
    private let messages = UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>.allocate(capacity: capacity)
    private var next = 0
    private var end = 0

    var isEmpty: Bool { next == end }

    /// The first message that is waiting.
    var first: UnsafeMutablePointer<rd_kafka_message_t>? { isEmpty ? nil : messages[next] }

    /// Takes what is there.
    mutating func fill(from queue: OpaquePointer) {
        precondition(isEmpty, "\(end - next) messages would be lost")
        next = 0
        end = max(0, rd_kafka_consume_batch_queue(queue, 0, messages, MessageBuffer.capacity))
    }

    /// Waits for the first record and takes what came with it.
    ///
    /// `rd_kafka_consume_batch_queue` waits until as many have come as it was asked for; so it is asked for one while
    /// waiting, and for many without.
    mutating func fill(from queue: OpaquePointer, waitingUpTo limit: Duration) {
        precondition(isEmpty, "\(end - next) messages would be lost")
        next = 0
        end = max(0, rd_kafka_consume_batch_queue(queue, limit.milliseconds, messages, 1))
        guard end == 1 else { return }
        end += max(0, rd_kafka_consume_batch_queue(queue, 0, messages + 1, MessageBuffer.capacity - 1))
    }

    mutating func dropFirst() {
        guard let message = first else { return }
        rd_kafka_message_destroy(message)
        next += 1
    }

    mutating func removeAll() {
        while !isEmpty { dropFirst() }
    }

    mutating func removeAll(of partition: PartitionID) {
        var kept = next
        for index in next..<end {
            guard let message = messages[index] else { continue }
            if message.pointee.partition == Int32(partition.number) {
                rd_kafka_message_destroy(message)
            } else {
                messages[kept] = message
                kept += 1
            }
        }
        end = kept
    }

    /// Copies records of the first one's partition from `position` on, while they fit in `maxBytes`; one always does.
    ///
    /// - Parameter position: goes to the offset behind the last. What lies before it is dropped.
    /// - Parameter sees: is shown each key.
    mutating func copyRun(
        maxBytes: Int, from position: inout Offset, into batch: inout LogBatch,
        sees: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) {
        guard let partition = first?.pointee.partition else { return }
        while let message = first, message.pointee.partition == partition,
            message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR
        {
            if message.pointee.offset >= position.value {
                let size = message.pointee.len + message.pointee.key_len
                if !batch.entries.isEmpty, batch.bytes.count + size > maxBytes { return }
                MessageBuffer.copy(message, into: &batch, sees: sees)
                position = Offset(message.pointee.offset) + 1
            }
            dropFirst()
        }
    }

    private static func copy(
        _ message: UnsafeMutablePointer<rd_kafka_message_t>, into batch: inout LogBatch,
        sees: (UnsafeRawBufferPointer) -> Void
    ) {
        let key = message.pointee.key.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len) }
        let value = message.pointee.payload.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.len) }
        if let key { sees(key) }
        let offset = Offset(message.pointee.offset)
        let timestamp = Timestamp(milliseconds: max(0, rd_kafka_message_timestamp(message, nil)))
        var headers: OpaquePointer?
        if rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR, let headers,
            let source = header("source", of: headers),
            let sequence = header("source_seq", of: headers).flatMap(number)
        {
            batch.append(
                offset: offset, timestamp: timestamp, key: key, value: value, source: source, sequence: sequence)
        } else {
            batch.append(offset: offset, timestamp: timestamp, key: key, value: value)
        }
    }

    private static func header(_ name: StaticString, of headers: OpaquePointer) -> UnsafeRawBufferPointer? {
        var (value, size): (UnsafeRawPointer?, Int) = (nil, 0)
        let code = name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount + 1) {
            rd_kafka_header_get_last(headers, $0, &value, &size)
        }
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let value else { return nil }
        return UnsafeRawBufferPointer(start: value, count: size)
    }

    /// Decimal digits, as any producer can write them.
    private static func number(_ digits: UnsafeRawBufferPointer) -> UInt64? {
        UInt64(String(decoding: digits, as: UTF8.self))
    }

    deinit {
        for index in next..<end { messages[index].map(rd_kafka_message_destroy) }
        messages.deallocate()
    }
}
