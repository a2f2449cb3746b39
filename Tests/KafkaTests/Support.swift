import Replication
import Telemetry
import Testing

@testable import Kafka

/// Runs `body` with a mock cluster that has the topic `telemetry.chassis`.
func withCluster<Value>(
    brokers: Int = 3, partitions: Int = 3, _ body: (MockCluster) throws -> Value
) throws -> Value {
    let cluster = try MockCluster(brokers: brokers)
    defer { cluster.close() }
    try cluster.createTopic(topic, partitions: partitions)
    return try body(cluster)
}

/// Runs `body` with a log over a mock cluster.
func withLog<Value>(
    brokers: Int = 3, partitions: Int = 3, with settings: [String] = [],
    log logSettings: KafkaLog.Settings = KafkaLog.Settings(), _ body: (KafkaLog, MockCluster) throws -> Value
) throws -> Value {
    try withCluster(brokers: brokers, partitions: partitions) { cluster in
        let log = try KafkaLog(configuration(cluster, settings), topic: topic, settings: logSettings)
        defer { log.close() }
        return try body(log, cluster)
    }
}

let topic = "telemetry.chassis"

func configuration(_ cluster: MockCluster, _ settings: [String] = []) throws -> KafkaConfiguration {
    try KafkaConfiguration(brokers: cluster.addresses, settings: settings)
}

func record(_ number: Int, in partition: Int = 0, key: String? = "GR86-006-7", bytes: Int = 0) -> NewRecord {
    NewRecord(
        partition: PartitionID(partition), key: key.map { Array($0.utf8) },
        value: Array("{\"number\":\(number)}".utf8) + [UInt8](repeating: UInt8(ascii: " "), count: bytes),
        timestamp: Timestamp(milliseconds: Int64(1_000 + number)))
}

extension LogBatch {
    var offsets: [Int64] { entries.map(\.offset.value) }
}

/// What a reader has handed out.
struct Seen {
    var offsets: [Int: [Int64]] = [:]
    var ends: [Int: Int64] = [:]
    var others: [LogReading] = []

    mutating func take(from reader: any LogReader, until isDone: (Seen) throws -> Bool) throws {
        var batch = LogBatch()
        let deadline = ContinuousClock.now + .seconds(30)
        while try !isDone(self) {
            try #require(ContinuousClock.now < deadline, "the reader does not get there: \(self)")
            switch try reader.next(maxBytes: 1 << 20, waitingUpTo: .milliseconds(200), into: &batch) {
            case .records(let partition): offsets[partition.number, default: []] += batch.offsets
            case .end(let partition, let end): ends[partition.number] = end.value
            case .idle: continue
            case let other: others.append(other)
            }
        }
    }
}

/// Asks until the answer is yes.
func eventually(_ what: Comment, _ isTrue: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try !isTrue() {
        try #require(ContinuousClock.now < deadline, what)
    }
}
