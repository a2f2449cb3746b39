import Replication
import Sharding
import Synchronization
import Telemetry

/// Keys that lie in another partition than murmur2 says: their producer has another partitioner. They are served where
/// they are, and each counts once.
///
/// Kafka does not say who produced a record, so the key stands for its producer.
final class MisplacedKeys: Sendable {
    /// Of how many we remember that they were counted.
    private static let keysMax = 10_000
    private let partitionCount: Int
    private let seen = Mutex<Set<UInt64>>([])
    private let first = Mutex<String?>(nil)

    init(partitionCount: Int) { self.partitionCount = partitionCount }

    var count: Int { seen.withLock { $0.count } }
    var example: String? { first.withLock { $0 } }

    func look(at key: UnsafeRawBufferPointer, in partition: PartitionID) {
        guard Partitioner.partition(ofKey: key, count: partitionCount) != partition.number else { return }
        let hash = StableHash.hash(key, seed: UInt64(partition.number))
        let isFirst = seen.withLock { seen in
            if seen.count < MisplacedKeys.keysMax { seen.insert(hash) }
            return seen.count == 1
        }
        if isFirst { first.withLock { $0 = $0 ?? "'\(String(decoding: key, as: UTF8.self))' in \(partition)" } }
    }
}
