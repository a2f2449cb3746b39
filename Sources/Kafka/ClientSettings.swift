import CRdkafka

/// librdkafka's settings object, made from ours.
enum ClientSettings {
    /// - Returns: an object that whoever calls must free, or give to a client.
    static func make(_ configuration: KafkaConfiguration, isProducer: Bool) throws(KafkaError) -> OpaquePointer {
        guard let conf = rd_kafka_conf_new() else { throw .start(reason: "no memory") }
        do throws(KafkaError) {
            try set("bootstrap.servers", configuration.brokers, in: conf)
            for (name, value) in KafkaRules.defaults(isProducer: isProducer) { try set(name, value, in: conf) }
            for (name, value) in configuration.settings { try set(name, value, in: conf) }
            for (name, value) in KafkaRules.forced(isProducer: isProducer) { try set(name, value, in: conf) }
        } catch {
            rd_kafka_conf_destroy(conf)
            throw error
        }
        return conf
    }

    /// - Throws: `.setting` for one that the client does not know or take.
    static func check(_ configuration: KafkaConfiguration, isProducer: Bool) throws(KafkaError) {
        rd_kafka_conf_destroy(try make(configuration, isProducer: isProducer))
    }

    /// What may be printed of a value.
    static func shown(_ name: String, _ value: String) -> String {
        let isSecret = ["password", "secret", "oauthbearer.config", ".pem", "sasl.jaas"].contains { name.contains($0) }
        return isSecret ? "(not shown)" : value
    }

    private static func set(_ name: String, _ value: String, in conf: OpaquePointer) throws(KafkaError) {
        var reason = [CChar](repeating: 0, count: 512)
        guard rd_kafka_conf_set(conf, name, value, &reason, reason.count) == RD_KAFKA_CONF_OK else {
            throw .setting(name: name, value: shown(name, value), reason: text(reason))
        }
    }
}

/// A C string in a buffer.
func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
