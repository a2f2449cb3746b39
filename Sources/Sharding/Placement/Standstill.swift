/// Finds the shards in which this node stands still while others go on, as one does that the log does not answer.
///
/// Such a replica serves nobody: it says so (catching up), so that peers are the source for clients here and elsewhere.
/// It is found by the news of others alone, for the client of the log says nothing for many seconds. A replica that is
/// only slow moves on, and one than which no live replica is further serves whatever happens. Pure.
package struct Standstill: Sendable {
    /// A replica may have less than a live one elsewhere, without moving on, for this long.
    package static let patience = Duration.seconds(1)
    /// While it stands still somewhere: the reason is likely one for all shards.
    package static let patienceOnceFound = Duration.milliseconds(300)

    private let own: NodeID
    private var watched: [ShardID: (offset: UInt64, since: Duration)] = [:]
    /// Where it stands still. It is over when no live replica is further any more.
    package private(set) var shards: Set<ShardID> = []

    package init(of own: NodeID) { self.own = own }

    /// - Parameters:
    ///   - reports: what the replica here says of its shards.
    ///   - map: what others say of them.
    package mutating func look(_ reports: [ShardReport], _ map: ShardMap, at now: Duration) {
        let patience = shards.isEmpty ? Self.patience : Self.patienceOnceFound
        var watched: [ShardID: (offset: UInt64, since: Duration)] = [:]
        var found: Set<ShardID> = []
        for report in reports where isPassed(report, map) {
            if shards.contains(report.shard) {
                found.insert(report.shard)
            } else if report.phase == .live {
                let before = self.watched[report.shard]
                let since = before?.offset == report.offset ? before?.since ?? now : now
                if now - since >= patience { found.insert(report.shard) }
                watched[report.shard] = (report.offset, since)
            }
        }
        (self.watched, shards) = (watched, found)
    }

    private func isPassed(_ report: ShardReport, _ map: ShardMap) -> Bool {
        // Offsets need not all have records: where it has seen the log end counts too.
        let seen = report.offset + report.lag
        return map[report.shard].contains { other in
            other.node != own && other.isLive && !other.isSuspect && other.report.offset > seen
        }
    }
}
