/// Settings that are ours alone, each with the reason: what a node promises depends on them.
///
/// Source: docs/design.md, section 5; names and aliases as in librdkafka's CONFIGURATION.md.
enum KafkaRules {
    struct Rule: Sendable {
        /// The name, and its aliases.
        let names: [String]
        /// What a user may say as well; `nil` when there is nothing to say.
        let value: String?
        let reason: String
        /// Set by us on consumers, producers or both.
        var consumer = false
        var producer = false
    }

    static let all: [Rule] = [
        Rule(
            names: ["bootstrap.servers", "metadata.broker.list"], value: nil,
            reason: "the addresses are given by --kafka"),
        Rule(
            names: ["group.id"], value: "slipstream", reason: "offsets are committed to this group for lag tools only",
            consumer: true),
        Rule(
            names: ["group.instance.id", "group.protocol.type", "partition.assignment.strategy"], value: nil,
            reason: "partitions are assigned by the nodes themselves, never by a consumer group"),
        Rule(
            names: ["auto.offset.reset"], value: "error",
            reason: "anything else skips or repeats records without a word when an offset is out of range",
            consumer: true),
        Rule(
            names: ["enable.auto.commit"], value: "false",
            reason: "a position is what a snapshot holds, not what was committed", consumer: true),
        Rule(
            names: ["enable.auto.offset.store"], value: "false",
            reason: "a position is what a snapshot holds, not what was stored", consumer: true),
        Rule(
            names: ["enable.partition.eof"], value: "true", reason: "it tells when a replica has caught up",
            consumer: true),
        Rule(
            names: ["allow.auto.create.topics"], value: "false",
            reason: "a mistyped name would become a new, empty topic", consumer: true),
        Rule(
            names: ["acks", "request.required.acks"], value: "all",
            reason: "an acknowledged record must survive the death of a broker", producer: true),
        Rule(
            names: ["enable.idempotence"], value: "true", reason: "a retry would store a record twice or out of order",
            producer: true),
        Rule(
            names: ["partitioner"], value: "murmur2_random",
            reason: "a key must lie in the partition where Java clients put it", producer: true),
        Rule(names: ["transactional.id"], value: nil, reason: "exactly-once comes from source_seq, not transactions"),
        Rule(
            names: ["socket.nagle.disable"], value: "true", reason: "Nagle's algorithm adds up to 40 ms",
            consumer: true,
            producer: true),
        Rule(
            names: ["test.mock.num.brokers"], value: nil,
            reason: "it would replace the brokers in --kafka; use slipstream kafka-sim"),
        Rule(
            names: ["plugin.library.paths", "interceptors", "opaque", "background_event_cb"], value: nil,
            reason: "foreign code in the client is not supported"),
    ]

    static func rule(for name: String) -> Rule? { all.first { $0.names.contains(name) } }

    /// Settings of a client of that kind that are not open to discussion.
    static func forced(isProducer: Bool) -> [(name: String, value: String)] {
        all.filter { isProducer ? $0.producer : $0.consumer }.compactMap { rule in
            rule.value.map { (rule.names[0], $0) }
        }
    }

    /// What we choose and a user may choose otherwise.
    static func defaults(isProducer: Bool) -> [(name: String, value: String)] {
        var settings = [
            ("client.id", "slipstream"),
            // A broker that went away is tried again this soon, and then less and less often.
            ("reconnect.backoff.ms", "50"),
            ("reconnect.backoff.max.ms", "1000"),
            ("topic.metadata.refresh.interval.ms", "30000"),
        ]
        if isProducer {
            settings += [
                ("linger.ms", "1"),
                ("compression.type", "lz4"),
                ("queue.buffering.max.messages", "200000"),
                ("queue.buffering.max.kbytes", "131072"),
                // When no acknowledgement has come by then, a publisher is told.
                ("delivery.timeout.ms", "30000"),
            ]
        } else {
            settings += [
                ("queued.max.messages.kbytes", "65536"),
                ("fetch.error.backoff.ms", "50"),
                // How long a broker waits that has nothing, and for how long an end or a dead connection is not noticed.
                ("fetch.wait.max.ms", "10"),
            ]
        }
        return settings
    }
}
