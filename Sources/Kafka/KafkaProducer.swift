import CRdkafka
import Replication
import Synchronization
import Telemetry
import Threads

/// An idempotent producer with a bounded queue; `acks=all`. Any thread may use it.
package final class KafkaProducer: Sendable {
    private let client: KafkaClient
    private let isStopping = Atomic(false)
    private let poller = Mutex<Worker?>(nil)
    private let topics = Mutex<[String: Topic]>([:])

    /// `@unchecked Sendable`: the handle is the only state, and librdkafka locks it.
    private struct Topic: @unchecked Sendable { let handle: OpaquePointer }

    /// Does not wait for a broker.
    package init(_ configuration: KafkaConfiguration) throws(KafkaError) {
        client = try KafkaClient(configuration, isProducer: true) { conf in
            rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
                guard let message else { return }
                if message.pointee._private != nil { return PendingDeliveries.answer(message) }
                guard let opaque, message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
                Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue().notePostFailed()
            }
        }
        let worker: Worker
        do throws(ThreadError) {
            worker = try Worker("kafka answers") { [self] in poll() }
        } catch { throw .start(reason: "\(error)") }
        poller.withLock { $0 = worker }
    }

    package var health: KafkaHealth { client.events.health }

    /// Sends records to their partitions and waits until each is stored or has failed, at most delivery.timeout.ms.
    /// While the queue is full it waits for room. After the first that cannot be queued none is.
    package func send(_ records: [NewRecord], to topic: String) throws(LogError) -> DeliveryReport {
        guard !records.isEmpty else { return DeliveryReport(deliveries: []) }
        let pending = PendingDeliveries(count: records.count)
        try client.use { (handle) throws(LogError) in
            let name = try self.topic(topic, handle)
            for (index, record) in records.enumerated() {
                let code = KafkaProducer.produce(record, handle, name, pending.slot(index))
                guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { return pending.abandon(from: index, code) }
            }
        }
        return pending.wait()
    }

    /// Queues a record and does not wait; the key decides about the partition. What fails later counts in
    /// `postsFailed`.
    /// - Returns: false when the queue is full.
    package func post(
        key: [UInt8]?, value: [UInt8]?, headers: [SideRecord.Header], to topic: String
    ) throws(LogError) -> Bool {
        try client.use { handle in
            let list = rd_kafka_headers_new(headers.count)
            for header in headers { rd_kafka_header_add(list, header.name, -1, header.value, header.value.utf8.count) }
            let code = KafkaProducer.withBytes(key) { key in
                KafkaProducer.withBytes(value) { value in
                    slipstream_post(
                        handle, topic, key.start, key.count, value.start, value.count, list)
                }
            }
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { rd_kafka_headers_destroy(list) }
            return code == RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// Records of `post` that were not stored.
    package var postsFailed: Int { client.events.postsFailed }

    /// Waits until everything queued is answered.
    /// - Returns: false when `limit` was over before.
    @discardableResult
    package func flush(within limit: Duration) throws(LogError) -> Bool {
        try client.use { rd_kafka_flush($0, limit.milliseconds) == RD_KAFKA_RESP_ERR_NO_ERROR }
    }

    /// Gives what is queued `limit` to be stored; the rest fails. Blocks.
    package func close(within limit: Duration = .seconds(5)) {
        do throws(LogError) {
            try client.use { handle in
                if rd_kafka_flush(handle, limit.milliseconds) != RD_KAFKA_RESP_ERR_NO_ERROR {
                    rd_kafka_purge(handle, purgeQueueAndInFlight)
                    rd_kafka_flush(handle, 1_000)
                }
            }
        } catch { return }  // Somebody has closed it before.
        // Answers are served until the last who waits has his; only then may the poller go.
        client.close { [self] _ in
            isStopping.store(true, ordering: .releasing)
            poller.withLock { $0.take() }?.join()
            for topic in topics.withLock({ $0.values.map { $0 } }) { rd_kafka_topic_destroy(topic.handle) }
        }
    }

    /// The poller's life. It keeps the client alive by holding this object, not by `use`: `close` waits for it.
    private func poll() {
        while !isStopping.load(ordering: .acquiring) { client.serve(upTo: 50) }
    }

    private func topic(_ name: String, _ handle: OpaquePointer) throws(LogError) -> OpaquePointer {
        let topic = topics.withLock { topics in
            if let known = topics[name] { return known as Topic? }
            guard let made = rd_kafka_topic_new(handle, name, nil) else { return nil }
            topics[name] = Topic(handle: made)
            return topics[name]
        }
        guard let topic else { throw .io(reason: "'\(name)' cannot be a topic: \(describe(rd_kafka_last_error()))") }
        return topic.handle
    }
}

extension KafkaProducer {
    private static func produce(
        _ record: NewRecord, _ handle: OpaquePointer, _ topic: OpaquePointer,
        _ slot: UnsafeMutablePointer<PendingDeliveries.Slot>?
    ) -> rd_kafka_resp_err_t {
        withBytes(record.key) { key in
            withBytes(record.value) { value in
                withBytes(record.origin.map { Array($0.source.utf8) }) { source in
                    withBytes(record.origin.map { Array("\($0.sequence)".utf8) }) { sequence in
                        slipstream_produce(
                            handle, topic, Int32(record.partition.number), key.start, key.count, value.start,
                            value.count, record.timestamp.microseconds / 1_000, source.start, source.count,
                            sequence.start?.assumingMemoryBound(to: CChar.self), sequence.count, slot)
                    }
                }
            }
        }
    }

    /// To librdkafka no address means no value, and an empty value has one.
    private static func withBytes(
        _ bytes: [UInt8]?, _ body: ((start: UnsafeRawPointer?, count: Int)) -> rd_kafka_resp_err_t
    ) -> rd_kafka_resp_err_t {
        guard let bytes else { return body((nil, 0)) }
        guard !bytes.isEmpty else { return withUnsafeBytes(of: UInt8(0)) { body(($0.baseAddress, 0)) } }
        return bytes.withUnsafeBytes { body(($0.baseAddress, $0.count)) }
    }
}

/// `RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT`.
private let purgeQueueAndInFlight: Int32 = 0x3
