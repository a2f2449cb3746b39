import Replication

/// What a node asks now and then while it runs.
extension KafkaLog {
    /// Partitions whose leader does not answer within `limit`; all when nobody does.
    package func unanswered(within limit: Duration) throws(LogError) -> [PartitionID] {
        try checkOpen()
        let all = (0..<partitionCount).map { PartitionID($0) }
        do throws(LogError) {
            let ends = try catalog.ends(of: all, in: topic, within: limit)
            if ends.count == all.count { catalog.events.noteSuccess() }
            return all.filter { ends[$0] == nil }
        } catch {
            if case .unavailable = error { return all }
            throw error
        }
    }

    /// - Throws: `KafkaError.noTopic` saying how to create it, or why nobody could be asked.
    package func check(topic name: String, within limit: Duration) throws(KafkaError) {
        do throws(KafkaError) {
            _ = try catalog.partitionCount(of: name, within: limit)
        } catch { throw error.expecting(partitions: name == deadLetterTopic ? 1 : partitionCount) }
    }

    /// Tells lag tools how far shards are: commits to group `slipstream`, and does not wait. Nothing here reads it.
    package func commit(_ positions: [PartitionID: Offset]) throws(LogError) {
        guard !positions.isEmpty else { return }
        try catalog.commit(positions, in: topic)
    }
}
