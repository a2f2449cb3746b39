import CRdkafka
import Synchronization

/// librdkafka's mock of a Kafka cluster: the real wire protocol on loopback, and faults on demand.
///
/// It keeps 5 MiB a partition and drops the oldest without a word; it has no compaction, no CreateTopics, no lookup of
/// timestamps and no fencing. What depends on those cannot be tested with it. Nothing outlives the object.
///
/// `@unchecked Sendable`: both handles are set once, and librdkafka locks them; `isOpen` keeps them alive.
package final class MockCluster: @unchecked Sendable {
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    private let isOpen = Mutex(true)
    package let brokerCount: Int
    /// `127.0.0.1:port` of each broker, separated by commas.
    package let addresses: String

    package init(brokers: Int = 3) throws(KafkaError) {
        brokerCount = brokers
        guard let conf = rd_kafka_conf_new() else { throw .start(reason: "no memory") }
        rd_kafka_conf_set_log_cb(conf) { _, _, _, _ in }
        var reason = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, &reason, reason.count) else {
            rd_kafka_conf_destroy(conf)
            throw .start(reason: text(reason))
        }
        guard let cluster = rd_kafka_mock_cluster_new(client, Int32(brokers)) else {
            rd_kafka_destroy(client)
            throw .start(reason: "no mock cluster of \(brokers) brokers: is a port left on 127.0.0.1?")
        }
        self.client = client
        self.cluster = cluster
        addresses = String(cString: rd_kafka_mock_cluster_bootstraps(cluster))
    }

    package func createTopic(_ name: String, partitions: Int, replication: Int? = nil) throws(KafkaError) {
        let replicas = Int32(replication ?? min(3, brokerCount))
        try call("topic \(name)") { rd_kafka_mock_topic_create($0, name, Int32(partitions), replicas) }
    }

    /// What the cluster answers to who asks for the topic.
    package func setError(_ error: MockError, ofTopic name: String) throws(KafkaError) {
        try call("topic \(name)") { cluster in
            rd_kafka_mock_topic_set_error(cluster, name, error.code)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// A broker that is down closes its connections and takes none. Its partitions keep it as leader.
    /// - Parameter broker: 1…; `nil` for all.
    package func setBroker(_ broker: Int?, isUp: Bool) throws(KafkaError) {
        let id = Int32(broker ?? -1)
        try call("broker \(id)") { cluster in
            isUp ? rd_kafka_mock_broker_set_up(cluster, id) : rd_kafka_mock_broker_set_down(cluster, id)
        }
    }

    /// - Parameter broker: `nil` leaves the partition without a leader.
    package func setLeader(ofPartition partition: Int, in topic: String, to broker: Int?) throws(KafkaError) {
        try call("partition \(topic)/\(partition)") {
            rd_kafka_mock_partition_set_leader($0, topic, Int32(partition), Int32(broker ?? -1))
        }
    }

    /// Delays every answer of a broker, or of all.
    package func setDelay(ofBroker broker: Int?, milliseconds: Int) throws(KafkaError) {
        let id = Int32(broker ?? -1)
        try call("broker \(id)") { rd_kafka_mock_broker_set_rtt($0, id, Int32(milliseconds)) }
    }

    /// The next requests of that kind fail, one for each error, whichever broker gets them.
    package func push(_ errors: [MockError], for request: MockRequest) throws(KafkaError) {
        let codes = errors.map(\.code)
        try call("request \(request)") { cluster in
            rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, codes)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// The next request of that kind to that broker is answered late, and with the error if there is one.
    package func push(
        _ error: MockError?, delayMilliseconds: Int, for request: MockRequest, toBroker broker: Int
    ) throws(KafkaError) {
        let code = error?.code ?? RD_KAFKA_RESP_ERR_NO_ERROR
        try call("broker \(broker)") {
            slipstream_mock_push_error_rtt($0, Int32(broker), request.rawValue, code, Int32(delayMilliseconds))
        }
    }

    package func clearErrors(for request: MockRequest) throws(KafkaError) {
        try call("request \(request)") { cluster in
            rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    package func close() {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            isOpen = false
            rd_kafka_mock_cluster_destroy(cluster)
            rd_kafka_destroy(client)
        }
    }

    deinit { close() }

    private func call(_ what: String, _ body: (OpaquePointer) -> rd_kafka_resp_err_t) throws(KafkaError) {
        try isOpen.withLock { (isOpen) throws(KafkaError) in
            guard isOpen else { throw .refused(reason: "the mock cluster is closed") }
            let code = body(cluster)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw .refused(reason: "\(what): \(describe(code))") }
        }
    }
}

/// Requests that can be made to fail. Source: the API keys of the Kafka protocol.
package enum MockRequest: Int16, CaseIterable, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
    case offsetCommit = 8
    case offsetFetch = 9
    case findCoordinator = 10
    case apiVersions = 18
    case initProducerID = 22
}

/// Errors that a broker can be made to answer with; `transport` closes the connection instead.
package enum MockError: String, CaseIterable, Sendable {
    case none
    case transport
    case notLeader = "not-leader"
    case leaderNotAvailable = "leader-not-available"
    case requestTimedOut = "request-timed-out"
    case unknownTopic = "unknown-topic"
    case offsetOutOfRange = "offset-out-of-range"
    case notEnoughReplicas = "not-enough-replicas"
    case notEnoughReplicasAfterAppend = "not-enough-replicas-after-append"
    case topicAuthorizationFailed = "topic-authorization-failed"
    case outOfOrderSequence = "out-of-order-sequence"
    case messageTooLarge = "message-too-large"

    var code: rd_kafka_resp_err_t {
        switch self {
        case .none: RD_KAFKA_RESP_ERR_NO_ERROR
        case .transport: RD_KAFKA_RESP_ERR__TRANSPORT
        case .notLeader: RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION
        case .leaderNotAvailable: RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
        case .requestTimedOut: RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT
        case .unknownTopic: RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
        case .offsetOutOfRange: RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE
        case .notEnoughReplicas: RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS
        case .notEnoughReplicasAfterAppend: RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND
        case .topicAuthorizationFailed: RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
        case .outOfOrderSequence: RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER
        case .messageTooLarge: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
        }
    }
}
