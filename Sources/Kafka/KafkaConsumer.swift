import CRdkafka
import Replication
import Synchronization

/// One consumer of one topic. Its partitions are assigned by hand; all arrive in one queue, in batches.
///
/// One thread calls `assign`, `unassign` and `take`; the rest is for any.
/// `@unchecked Sendable`: `assigned` belongs to that one thread, the C handles are locked by librdkafka.
package final class KafkaConsumer: @unchecked Sendable {
    let topic: String
    private let client: KafkaClient
    private let queue: OpaquePointer
    private let woken = Atomic(false)
    private var assigned: Set<PartitionID> = []

    /// Does not wait for a broker.
    package init(_ configuration: KafkaConfiguration, topic: String) throws(KafkaError) {
        self.topic = topic
        client = try KafkaClient(configuration, isProducer: false)
        let queue: OpaquePointer?
        do throws(LogError) {
            queue = try client.use { handle in
                // Errors of the client come through the queue of records, so that one wait is enough.
                rd_kafka_poll_set_consumer(handle)
                return rd_kafka_queue_get_consumer(handle)
            }
        } catch { throw .start(reason: "\(error)") }
        guard let queue else { throw .start(reason: "the consumer has no queue") }
        self.queue = queue
    }

    package var health: KafkaHealth { client.events.health }
    func note(_ reason: String) { client.events.note(reason) }
    /// Notes that the client is beyond repair, and says it as an error.
    func fail(_ reason: String) -> LogError {
        client.events.noteFatal(reason)
        return KafkaError.fatal(reason: reason).logError
    }

    /// Reads `partition` from `offset` on, in place of wherever it was.
    package func assign(_ partition: PartitionID, from offset: Offset) throws(LogError) {
        try client.use { (handle) throws(LogError) in
            let list = PartitionList(topic, [(partition, offset.value)])
            if assigned.contains(partition), seek(handle, list) { return }
            if assigned.contains(partition) { try check(rd_kafka_incremental_unassign(handle, list.pointer)) }
            try check(rd_kafka_incremental_assign(handle, list.pointer))
            assigned.insert(partition)
        }
    }

    package func unassign(_ partition: PartitionID) throws(LogError) {
        guard assigned.remove(partition) != nil else { return }
        try client.use { (handle) throws(LogError) in
            let list = PartitionList(topic, [(partition, 0)])
            try check(rd_kafka_incremental_unassign(handle, list.pointer))
        }
    }

    /// Fills an empty buffer; waits for the first record until one is there, `wake` is called or `limit` is over.
    func take(into messages: inout MessageBuffer, waitingUpTo limit: Duration) throws(LogError) {
        try client.use { (handle) throws(LogError) in
            messages.fill(from: queue)
            // In this order: that call may have swallowed the yield of a `wake`, but then the flag is up by now.
            let isWoken = woken.exchange(false, ordering: .acquiringAndReleasing)
            if messages.isEmpty, !isWoken, limit > .zero {
                messages.fill(from: queue, waitingUpTo: limit)
                woken.store(false, ordering: .releasing)
            }
            if messages.isEmpty, let reason = client.events.health.fatal {
                throw KafkaError.fatal(reason: reason).logError
            }
        }
    }

    /// Ends a wait in `take`, or the next one.
    package func wake() {
        woken.store(true, ordering: .releasing)
        do throws(LogError) { try client.use { _ in rd_kafka_queue_yield(queue) } } catch { return }  // Nobody waits.
    }

    /// Where the partition ended when the broker answered last; does not ask. `nil` before the first answer.
    func lastEnd(of partition: PartitionID) -> Offset? {
        var (earliest, end): (Int64, Int64) = (0, 0)
        do throws(LogError) {
            let code = try client.use { handle in
                rd_kafka_get_watermark_offsets(handle, topic, Int32(partition.number), &earliest, &end)
            }
            return code == RD_KAFKA_RESP_ERR_NO_ERROR && end >= 0 ? Offset(end) : nil
        } catch { return nil }  // Closed meanwhile: the next call says so.
    }

    /// What was committed last; `nil` where nothing was.
    package func committed(
        _ partitions: [PartitionID], within limit: Duration
    ) throws(LogError) -> [PartitionID: Offset] {
        try client.use { (handle) throws(LogError) in
            let list = PartitionList(topic, partitions.map { ($0, 0) })
            let code = rd_kafka_committed(handle, list.pointer, limit.milliseconds)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw client.failure(code, topic).logError }
            return Dictionary(uniqueKeysWithValues: list.offsets.filter { $0.1.value >= 0 })
        }
    }

    /// Stops the stream of one partition as a client does that has lost its way: for tests of the watchdog.
    func stall(_ partition: PartitionID) throws(LogError) {
        try client.use { handle in
            let list = PartitionList(topic, [(partition, 0)])
            _ = rd_kafka_pause_partitions(handle, list.pointer)
        }
    }

    /// As if the client had found itself beyond repair: for tests.
    func failForGood(_ reason: String) throws(LogError) {
        try client.use { handle in _ = rd_kafka_test_fatal_error(handle, RD_KAFKA_RESP_ERR__FATAL, reason) }
    }

    /// Frees the client; blocks until it is gone. Buffers with its messages must be empty by then.
    package func close() { client.close { [queue] _ in rd_kafka_queue_destroy(queue) } }

    deinit { close() }

    private func seek(_ handle: OpaquePointer, _ list: borrowing PartitionList) -> Bool {
        let error = rd_kafka_seek_partitions(handle, list.pointer, 1_000)
        guard error == nil else {
            rd_kafka_error_destroy(error)
            return false
        }
        return list.firstError == nil
    }

    private func check(_ error: OpaquePointer?) throws(LogError) {
        guard let error else { return }
        defer { rd_kafka_error_destroy(error) }
        throw .unavailable(
            reason: "topic \(topic) cannot be assigned: \(String(cString: rd_kafka_error_string(error)))")
    }
}
