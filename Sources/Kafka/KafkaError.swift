import Replication

/// Why Kafka cannot be used. Each says what to do.
package enum KafkaError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A setting that is unknown, malformed or against one of our rules. Nothing was started.
    case setting(name: String, value: String, reason: String)
    case propertiesFile(path: String, reason: String)
    case start(reason: String)
    /// No broker answered in time. Waiting may help: a broker may be starting.
    case unreachable(brokers: String, reason: String)
    /// The cluster answers and does not know the topic. Waiting helps once somebody creates it.
    /// - Parameter partitions: how many it should have.
    case noTopic(String, brokers: String, partitions: Int = 12)
    case partitionCount(topic: String, found: Int, expected: Int)
    /// The cluster answers, and says no for now or for good.
    case refused(reason: String)
    /// The client is beyond repair; the process must end.
    case fatal(reason: String)

    /// Whether waiting may help without anybody changing our settings.
    package var isWorthWaiting: Bool {
        switch self {
        case .unreachable, .noTopic, .refused: true
        case .setting, .propertiesFile, .start, .partitionCount, .fatal: false
        }
    }

    package var description: String {
        switch self {
        case .setting(let name, let value, let reason): "Kafka setting \(name)=\(value): \(reason)"
        case .propertiesFile(let path, let reason): "Kafka properties file \(path): \(reason)"
        case .start(let reason): "the Kafka client does not start: \(reason)"
        case .unreachable(let brokers, let reason):
            """
            no Kafka broker answers at \(brokers) (\(reason)); check the address in --kafka, that a broker runs there, \
            and security.protocol if it wants TLS or a password
            """
        case .noTopic(let topic, let brokers, let partitions):
            """
            Kafka at \(brokers) has no topic '\(topic)', or hides it from this user; create it, as in \
            kafka-topics --bootstrap-server \(brokers) --create --topic \(topic) --partitions \(partitions) \
            --replication-factor 3, or correct its name
            """
        case .partitionCount(let topic, let found, let expected):
            """
            topic '\(topic)' has \(found) partitions and \(expected) are expected; the number is fixed for the life of \
            a cluster: use a topic with \(expected), or give all nodes of a new cluster --partitions \(found)
            """
        case .refused(let reason): "Kafka refused: \(reason)"
        case .fatal(let reason): "the Kafka client cannot go on: \(reason); start the node again"
        }
    }

    /// The same, with the number of partitions that a missing topic should be made with.
    func expecting(partitions: Int?) -> KafkaError {
        guard case .noTopic(let topic, let brokers, let usual) = self else { return self }
        return .noTopic(topic, brokers: brokers, partitions: partitions ?? usual)
    }

    package var logError: LogError {
        switch self {
        case .fatal: .fatal(reason: "\(self)")
        case .unreachable, .noTopic, .refused: .unavailable(reason: "\(self)")
        case .setting, .propertiesFile, .start, .partitionCount: .io(reason: "\(self)")
        }
    }
}
