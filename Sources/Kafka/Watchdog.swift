import Replication

/// Tells a partition that has nothing new from one whose client has lost its way. Pure.
///
/// librdkafka has had several ways to stop fetching one partition for good and to say nothing; all look alike from
/// outside: records are there, the reader asks for them, and its position does not move between two looks.
struct Watchdog {
    /// Partitions that were behind their end at the last look, and the reader's count of takes then.
    private var behind: [PartitionID: (position: Offset, takes: Int)] = [:]

    /// - Parameter takes: how often the reader has emptied its queue so far. One that is busy elsewhere is not stuck.
    /// - Returns: whether a partition is stuck.
    mutating func look(positions: [PartitionID: Offset], ends: [PartitionID: Offset], takes: Int) -> Bool {
        var isStuck = false
        var now: [PartitionID: (position: Offset, takes: Int)] = [:]
        for (partition, position) in positions where ends[partition].map({ $0 > position }) ?? false {
            if let before = behind[partition], before.position == position {
                // Twice: what one take brought is handed out by the next.
                if takes >= before.takes + 2 { isStuck = true }
                now[partition] = before
            } else {
                now[partition] = (position, takes)
            }
        }
        behind = isStuck ? [:] : now
        return isStuck
    }
}
