import CRdkafka
import Replication

/// What the client alone can do: takes batches of a topic and lets go of them. For benches, which hold our own reading
/// against it. Used by one thread.
package struct RawConsumption: ~Copyable {
    /// What one call has taken.
    package struct Taken: Sendable {
        package var records = 0
        package var bytes = 0
        /// Partitions that have come to their end.
        package var ends = 0
    }

    private let consumer: KafkaConsumer
    private var messages = MessageBuffer()

    package init(_ configuration: KafkaConfiguration, topic: String) throws(KafkaError) {
        consumer = try KafkaConsumer(configuration, topic: topic)
    }

    package func assign(_ partition: PartitionID) throws(LogError) { try consumer.assign(partition, from: .zero) }

    package mutating func take(waitingUpTo limit: Duration) throws(LogError) -> Taken {
        try consumer.take(into: &messages, waitingUpTo: limit)
        var taken = Taken()
        while let message = messages.first {
            switch message.pointee.err {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                taken.records += 1
                taken.bytes += message.pointee.len
            case RD_KAFKA_RESP_ERR__PARTITION_EOF: taken.ends += 1
            default: throw .unavailable(reason: describe(message.pointee.err))
            }
            messages.dropFirst()
        }
        return taken
    }

    package mutating func close() {
        messages.removeAll()
        consumer.close()
    }
}
