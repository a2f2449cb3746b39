import Replication
import Synchronization
import Telemetry

struct DeadLetterCounts: Sendable {
    var written = 0
    var lost = 0
}

/// Records that could not be read go to `<topic>.dlq`, for people to look at. Nothing waits for them, and when they
/// cannot be stored they are counted and gone.
extension KafkaLog {
    package var deadLetterTopic: String { topic + ".dlq" }

    /// Writes what a fold refused: `scratch.refused` of `Shard.apply`. One replica of a shard does so, its leader.
    ///
    /// - Parameter batch: the one that was applied.
    package func writeDeadLetters(_ refused: [RefusedRecord], of batch: borrowing LogBatch, in partition: PartitionID) {
        var last: Offset?
        for record in refused where record.entry.offset != last {
            // An array with several bad elements is one letter; its headers tell of the first.
            last = record.entry.offset
            let isQueued = post(
                headers(of: record, in: partition), key: record.entry.key.map { Array(batch.bytes[$0]) },
                value: record.entry.value.map { Array(batch.bytes[$0]) })
            deadLetters.withLock { counts in
                if isQueued { counts.written += 1 } else { counts.lost += 1 }
            }
        }
    }

    private func post(_ headers: [(name: String, value: String)], key: [UInt8]?, value: [UInt8]?) -> Bool {
        do throws(LogError) {
            return try producer.post(key: key, value: value, headers: headers, to: deadLetterTopic)
        } catch { return false }  // Closed: counted as lost.
    }

    private func headers(
        of record: RefusedRecord, in partition: PartitionID
    ) -> [(name: String, value: String)] {
        var headers = [
            ("topic", topic), ("partition", "\(partition)"), ("offset", "\(record.entry.offset)"),
            ("reason", record.refusal.reason.rawValue), ("message", "\(record.refusal)"),
        ]
        if let element = record.element { headers.append(("element", "\(element)")) }
        return headers
    }
}
