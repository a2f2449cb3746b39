import Replication
import Synchronization
import Telemetry

struct SideRecordCounts: Sendable {
    var written = 0
    var lost = 0
}

/// Records that could not be read go to `<topic>.dlq`, for people to look at. Nothing waits for them, and when they
/// cannot be stored they are counted and gone.
extension KafkaLog {
    package var deadLetterTopic: String { topic + ".dlq" }

    /// What a fold refused, as it goes to the dead letters: `scratch.refused` of `Shard.apply`.
    ///
    /// - Parameter batch: the one that was applied.
    package func deadLetters(
        _ refused: [RefusedRecord], of batch: borrowing LogBatch, in partition: PartitionID
    ) -> [SideRecord] {
        var last: Offset?
        var letters: [SideRecord] = []
        for record in refused where record.entry.offset != last {
            // An array with several bad elements is one letter; its headers tell of the first.
            last = record.entry.offset
            letters.append(
                SideRecord(
                    topic: deadLetterTopic, key: record.entry.key.map { Array(batch.bytes[$0]) },
                    value: record.entry.value.map { Array(batch.bytes[$0]) },
                    headers: headers(of: record, in: partition)
                ))
        }
        return letters
    }

    /// Queues a record; nobody is told whether it came to be stored. One replica of a shard does so, its leader.
    package func post(_ record: SideRecord) {
        let isQueued = queue(record)
        sideRecords.withLock { counts in
            if isQueued { counts.written += 1 } else { counts.lost += 1 }
        }
    }

    private func queue(_ record: SideRecord) -> Bool {
        do throws(LogError) {
            return try producer.post(
                key: record.key, value: record.value, headers: record.headers, to: record.topic)
        } catch { return false }  // Closed: counted as lost.
    }

    private func headers(of record: RefusedRecord, in partition: PartitionID) -> [SideRecord.Header] {
        var headers: [SideRecord.Header] = [
            .init("topic", topic), .init("partition", "\(partition)"), .init("offset", "\(record.entry.offset)"),
            .init("reason", record.refusal.reason.rawValue), .init("message", "\(record.refusal)"),
        ]
        if let element = record.element { headers.append(.init("element", "\(element)")) }
        return headers
    }
}
