import CRdkafka
import Synchronization

/// How a client fares, as its callbacks told.
package struct KafkaHealth: Sendable, Equatable {
    /// What went wrong last, until a call succeeds again.
    package var lastError: String?
    /// Set once and for ever: the process must end.
    package var fatal: String?
    package init() {}
}

/// What the threads of librdkafka tell about one client. They only leave a note here.
final class ClientEvents: Sendable {
    private let state = Mutex(KafkaHealth())
    private let failures = Atomic(0)

    var health: KafkaHealth { state.withLock { $0 } }
    /// Records nobody waited for that were not stored.
    var postsFailed: Int { failures.load(ordering: .relaxed) }

    func note(_ reason: String) { state.withLock { $0.lastError = reason } }
    func noteFatal(_ reason: String) { state.withLock { $0.fatal = $0.fatal ?? reason } }
    func noteSuccess() { state.withLock { $0.lastError = nil } }
    func notePostFailed() { failures.add(1, ordering: .relaxed) }

    /// Has `conf` tell us. The client made from it must not outlive this object.
    func install(in conf: OpaquePointer) {
        rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_error_cb(conf) { client, code, reason, opaque in
            guard let opaque, let client else { return }
            let events = Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue()
            if code == RD_KAFKA_RESP_ERR__FATAL.rawValue {
                events.noteFatal(fatalReason(of: client) ?? "unknown reason")
            } else {
                events.note(reason.map { String(cString: $0) } ?? describe(rd_kafka_resp_err_t(code)))
            }
        }
        // It would write to stderr past our log. What matters comes through the error callback as well.
        rd_kafka_conf_set_log_cb(conf) { _, _, _, _ in }
    }
}

/// - Returns: `nil` as long as the client is sound.
func fatalReason(of client: OpaquePointer) -> String? {
    var reason = [CChar](repeating: 0, count: 512)
    guard rd_kafka_fatal_error(client, &reason, reason.count) != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return text(reason)
}

func describe(_ code: rd_kafka_resp_err_t) -> String { String(cString: rd_kafka_err2str(code)) }

extension Duration {
    /// Whole milliseconds, at least 0, as librdkafka takes a time to wait.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: max(0, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
    }
}
