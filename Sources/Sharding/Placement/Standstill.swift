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

    private var watched: [ShardID: (offset: UInt64, since: Duration)] = [:]
    /// Where it stands still. It is over when no live replica is further any more.
    package private(set) var shards: Set<ShardID> = []

    package init() {}

    /// - Parameters:
    ///   - reports: what the replica here says of its shards.
    ///   - peers: what others say of them.
    package mutating func look(_ reports: [ShardReport], _ peers: [LiveNode], at now: Duration) {
        let others = peers.filter { !$0.isSuspect }.map(\.table)
        let patience = shards.isEmpty ? Self.patience : Self.patienceOnceFound
        var watched: [ShardID: (offset: UInt64, since: Duration)] = [:]
        var found: Set<ShardID> = []
        // Offsets need not all have records: where a replica has seen the log end counts too.
        for report in reports where Self.furthest(others, report.shard) > report.offset + report.lag {
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

    /// How far those are who could serve.
    private static func furthest(_ others: [NodeTable], _ shard: ShardID) -> UInt64 {
        others.reduce(0) { furthest, table in
            guard let report = table[shard], report.phase == .live else { return furthest }
            return max(furthest, report.offset)
        }
    }
}
