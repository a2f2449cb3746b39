import Foundation
import Kafka
import Telemetry

/// Opens the log of a cluster. Brokers and topics may come later than nodes: what waiting can mend is waited for, the
/// rest ends the start.
enum KafkaOpening {
    /// To be told within 10 s of the start, one answer must not take longer.
    private static let answerLimit = Duration.seconds(4)
    private static let pauseSeconds = 0.5
    /// The same reason again, for who comes late to the journal.
    private static let repeatMicroseconds: Int64 = 60_000_000

    /// - Returns: the log, and the port that clients were told while it waited, if it did.
    static func open(
        _ config: NodeConfig, _ kafka: NodeConfig.KafkaConfig, _ journal: Log
    ) throws(NodeError) -> (log: KafkaLog, port: Int?) {
        var room: WaitingRoom?
        var told: (reason: String, at: Timestamp)?
        while true {
            do throws(KafkaError) {
                let log = try attempt(kafka)
                if room != nil { journal.notice("Kafka is there", [.address: kafka.brokers]) }
                room?.close()
                return (log, room?.port)
            } catch {
                guard error.isWorthWaiting else {
                    room?.close()
                    throw .kafka(error)
                }
                let reason = "\(error)"
                if let room { room.tell(reason) } else { room = try WaitingRoom(config, reason: reason) }
                let isNews = told.map { $0.reason != error.kind || $0.at.age > repeatMicroseconds } ?? true
                if isNews {
                    journal.error(
                        "waiting for Kafka", [.address: "\(config.host):\(room?.port ?? 0)", .reason: reason])
                    told = (error.kind, .monotonic)
                }
            }
            Thread.sleep(forTimeInterval: pauseSeconds)
        }
    }

    private static func attempt(_ kafka: NodeConfig.KafkaConfig) throws(KafkaError) -> KafkaLog {
        try KafkaLog(
            try KafkaConfiguration(brokers: kafka.brokers, settings: kafka.settings, properties: kafka.properties),
            topic: kafka.topic, partitionCount: kafka.partitions, within: answerLimit)
    }
}

extension KafkaError {
    /// What it is about, without the details that differ from one attempt to the next.
    fileprivate var kind: String {
        switch self {
        case .unreachable: "unreachable"
        case .noTopic: "no topic"
        default: "\(self)"
        }
    }
}

extension Timestamp {
    /// µs since then. For readings of `monotonic`.
    var age: Int64 { Timestamp.monotonic.microseconds - microseconds }
}
