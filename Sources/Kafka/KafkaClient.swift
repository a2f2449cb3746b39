import CRdkafka
import Replication
import Threads

/// Owns one librdkafka client and frees it exactly once, when no call uses it any more.
///
/// `@unchecked Sendable`: the handle is set once, librdkafka locks it internally, and `users` keeps it alive.
final class KafkaClient: @unchecked Sendable {
    let brokers: String
    let events = ClientEvents()
    private let handle: OpaquePointer
    private let users = Monitor(Users())

    private struct Users {
        var count = 0
        var isClosing = false
        var isFreed = false
    }

    /// - Parameter prepare: registers more callbacks before the client starts.
    init(
        _ configuration: KafkaConfiguration, isProducer: Bool, prepare: (OpaquePointer) -> Void = { _ in }
    ) throws(KafkaError) {
        brokers = configuration.brokers
        let conf = try ClientSettings.make(configuration, isProducer: isProducer)
        events.install(in: conf)
        prepare(conf)
        var reason = [CChar](repeating: 0, count: 512)
        let kind = isProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
        guard let handle = rd_kafka_new(kind, conf, &reason, reason.count) else {
            rd_kafka_conf_destroy(conf)  // rd_kafka_new takes `conf` only when it succeeds.
            throw .start(reason: text(reason))
        }
        self.handle = handle
    }

    /// Runs `body` with the handle, which stays alive meanwhile.
    /// - Throws: `.closed` after `close`.
    func use<Value>(_ body: (OpaquePointer) throws(LogError) -> Value) throws(LogError) -> Value {
        try users.withLock { (users) throws(LogError) in
            guard !users.isClosing else { throw .closed }
            users.count += 1
        }
        defer { users.update { $0.count -= 1 } }
        return try body(handle)
    }

    /// Runs callbacks for up to so many milliseconds. For a thread that is joined in `finish` of `close`.
    func serve(upTo milliseconds: Int32) { rd_kafka_poll(handle, milliseconds) }

    /// Waits for calls under way and frees the client. Blocks; call it where that does no harm.
    ///
    /// - Parameter finish: runs after the last call, before the handle goes.
    func close(_ finish: (OpaquePointer) -> Void = { _ in }) {
        let isMine = users.update { users in
            defer { users.isClosing = true }
            return !users.isClosing
        }
        users.when({ $0.count == 0 && (isMine || $0.isFreed) }) { _ in }
        guard isMine else { return }
        finish(handle)
        // Without the goodbye to a group that we are not in, which would wait for a coordinator.
        rd_kafka_destroy_flags(handle, noConsumerClose)
        users.update { $0.isFreed = true }
    }

    deinit {
        // Whoever forgot to close waits here.
        if !users.withLock({ $0.isFreed }) { close() }
    }
}

/// `RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE`.
private let noConsumerClose: Int32 = 0x8
