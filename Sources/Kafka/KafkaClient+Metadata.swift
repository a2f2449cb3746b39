import CRdkafka
import Replication

/// Where a partition begins and ends.
struct Watermarks: Equatable {
    /// The first offset still there.
    let earliest: Offset
    /// The offset the next record will get.
    let end: Offset
}

extension KafkaClient {
    /// Asks the cluster how many partitions a topic has.
    /// - Throws: `.unreachable`, `.noTopic` or `.refused`, after `limit` at the latest.
    func partitionCount(of topic: String, within limit: Duration) throws(KafkaError) -> Int {
        let result: Result<Int, KafkaError>
        do throws(LogError) {
            result = try use { handle in
                Result { () throws(KafkaError) in try metadata(handle, topic, within: limit) }
            }
        } catch { throw .refused(reason: "\(error)") }
        return try result.get()
    }

    private func metadata(
        _ handle: OpaquePointer, _ topic: String, within limit: Duration
    ) throws(KafkaError) -> Int {
        var answer: UnsafePointer<rd_kafka_metadata_t>?
        // All topics: to ask for one by its name makes it, on brokers that do not know better and on the mock.
        let code = rd_kafka_metadata(handle, 1, nil, &answer, limit.milliseconds)
        rd_kafka_poll(handle, 0)  // Here the reasons come in.
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else { throw failure(code, topic) }
        defer { rd_kafka_metadata_destroy(answer) }
        events.noteSuccess()
        let topics = UnsafeBufferPointer(start: answer.pointee.topics, count: Int(answer.pointee.topic_cnt))
        guard let found = topics.first(where: { String(cString: $0.topic) == topic }) else {
            throw .noTopic(topic, brokers: brokers)
        }
        guard found.err == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(found.err, topic) }
        guard found.partition_cnt > 0 else { throw .noTopic(topic, brokers: brokers) }
        return Int(found.partition_cnt)
    }

    /// - Throws: `.unavailable` when the partition's leader does not answer within `limit`.
    func watermarks(of partition: PartitionID, in topic: String, within limit: Duration) throws(LogError) -> Watermarks
    {
        try use { (handle) throws(LogError) in
            var (low, high): (Int64, Int64) = (0, 0)
            try askLeader(handle, topic, within: limit) { limit in
                rd_kafka_query_watermark_offsets(handle, topic, Int32(partition.number), &low, &high, limit)
            }
            return Watermarks(earliest: Offset(low), end: Offset(high))
        }
    }

    /// Asks again when the broker asked leads no more. The client would go on asking it until what it knows of the
    /// cluster has aged, 15 minutes: of a topic that it neither reads nor writes it takes no news by itself.
    private func askLeader(
        _ handle: OpaquePointer, _ topic: String, within limit: Duration, _ ask: (Int32) -> rd_kafka_resp_err_t
    ) throws(LogError) {
        let deadline = ContinuousClock.now + limit
        while true {
            let code = ask(max(.milliseconds(1), deadline - .now).milliseconds)
            rd_kafka_poll(handle, 0)
            if code == RD_KAFKA_RESP_ERR_NO_ERROR { return events.noteSuccess() }
            let isStale = [RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE]
                .contains(code)
            guard isStale, ContinuousClock.now < deadline else { throw failure(code, topic).logError }
            do throws(KafkaError) {
                _ = try metadata(handle, topic, within: max(.milliseconds(1), deadline - .now))
            } catch { throw error.logError }
        }
    }

    /// The ends of several partitions with one request a broker; those that could not be had are missing.
    func ends(
        of partitions: [PartitionID], in topic: String, within limit: Duration
    ) throws(LogError) -> [PartitionID: Offset] {
        try use { (handle) throws(LogError) in
            // To the protocol the end is the offset of a time called −1.
            let list = PartitionList(topic, partitions.map { ($0, -1) })
            try askLeader(handle, topic, within: limit) { rd_kafka_offsets_for_times(handle, list.pointer, $0) }
            let ends = Dictionary(uniqueKeysWithValues: list.offsets.filter { $0.1.value >= 0 })
            // Those that are missing may have another leader by now: whoever asks the next time finds it.
            if ends.count < partitions.count { _ = try? metadata(handle, topic, within: limit) }
            return ends
        }
    }

    /// Commits to group `slipstream`, and does not wait.
    func commit(_ positions: [PartitionID: Offset], in topic: String) throws(LogError) {
        try use { (handle) throws(LogError) in
            let list = PartitionList(topic, positions.sorted { $0.key < $1.key }.map { ($0, $1.value) })
            let code = rd_kafka_commit(handle, list.pointer, 1)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw failure(code, topic).logError }
        }
    }

    /// What a failed call means to us.
    func failure(_ code: rd_kafka_resp_err_t, _ topic: String) -> KafkaError {
        switch code {
        case RD_KAFKA_RESP_ERR__FATAL: .fatal(reason: events.health.fatal ?? describe(code))
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            .noTopic(topic, brokers: brokers)
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
            RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__AUTHENTICATION:
            .unreachable(brokers: brokers, reason: events.health.lastError ?? describe(code))
        default: .refused(reason: "topic '\(topic)': \(describe(code))")
        }
    }
}
