/// What one node makes of the cluster as it knows it: which shards it hosts, and what it tells of itself.
///
/// Pure; a shell hands in what gossip and the replica say, hosts `hosted`, and publishes what `takeTable` gives.
package struct NodePlan: Sendable {
    package let own: NodeID
    private let shardCount: Int
    private let replicas: Int
    private let boot: UInt64
    /// The shards that should be folded here.
    package private(set) var hosted: Set<ShardID> = []
    /// Who has what, as far as this node knows.
    package private(set) var map: ShardMap
    package private(set) var peers: [LiveNode] = []
    /// Nothing is left to be handed over.
    package private(set) var isDrained = false
    /// What this node says of itself.
    package private(set) var table: NodeTable
    private var published: NodeTable?
    private var publishedAt = Duration.zero
    /// Given up, and perhaps not yet let go of by the replica: held no more, whatever it reports.
    private var stopped: Set<ShardID> = []
    private var handovers: UInt64 = 0
    private var standstill = Standstill()
    /// Shards in which others are further and this node does not move: no live ones, whatever the replica says.
    package var standing: Set<ShardID> { standstill.shards }
    /// What the last decision was made of, if it changed nothing.
    private var settled: Grounds?

    private struct Grounds: Equatable, Sendable {
        let peers: [LiveNode]
        let reports: [ShardReport]
        let standing: Set<ShardID>
        let isDraining: Bool
    }

    /// - Parameters:
    ///   - table: without shards.
    ///   - boot: ms since 1970 when the process began, or anything else that differs from life to life.
    package init(own: NodeID, table: NodeTable, shardCount: Int, replicas: Int, boot: UInt64) {
        self.own = own
        self.table = table
        self.shardCount = shardCount
        self.replicas = replicas
        self.boot = boot
        map = ShardMap([], shardCount: shardCount)
    }

    /// Shards that this node has and is about to give up, while another has them live and stays, as far as this one knows.
    package var leaving: [ShardID] {
        table.shards.filter(\.isLeaving).map(\.shard).filter { shard in
            map.serving(shard).contains { $0.node != own && !$0.isSuspect && !$0.report.isLeaving }
        }
    }

    /// How long news of lag alone waits.
    package var publishPeriod: Duration { NodeTable.publishPeriod(memberCount: peers.count + 1) }

    /// - Parameters:
    ///   - peers: the others that are alive or suspect. One whose table is not here yet takes shards like the rest, and
    ///     holds none that is known of.
    ///   - reports: what the replica has, with phase, offset, lag and hash.
    ///   - now: as for `takeTable`. To be called again within `publishPeriod`, though nothing happened.
    package mutating func decide(peers: [LiveNode], reports: [ShardReport], isDraining: Bool, at now: Duration) {
        standstill.look(reports, peers, at: now)
        let grounds = Grounds(
            peers: peers, reports: reports, standing: standstill.shards, isDraining: isDraining)
        guard grounds != settled else { return }
        let before = (table, stopped, hosted)
        decide(on: grounds)
        settled = before == (table, stopped, hosted) ? grounds : nil
    }

    private mutating func decide(on grounds: Grounds) {
        let (peers, reports, isDraining) = (grounds.peers, grounds.reports, grounds.isDraining)
        self.peers = peers
        table.isDraining = isDraining
        note(reports)
        let nodes = peers + [LiveNode(own, table: table)]
        map = ShardMap(nodes, shardCount: shardCount)
        let assignment = Assignment(nodes, map, replicas: replicas)
        let placement = Placement(of: own, assignment: assignment, map: map)
        hosted = Set(placement.start + placement.keep + placement.handOver)
        stopped = stopped.union(placement.stop).subtracting(placement.start)
        isDrained = placement.isDrained
        table.shards = say(placement, assignment)
        map = ShardMap(peers + [LiveNode(own, table: table)], shardCount: shardCount)
    }

    /// What the replica says goes beside what was said of handovers. A shard just begun is held though the replica does
    /// not know of it yet.
    private mutating func note(_ reports: [ShardReport]) {
        let found = Dictionary(reports.map { ($0.shard, $0) }, uniquingKeysWith: { first, _ in first })
        stopped.formIntersection(found.keys)
        var held = Dictionary(uniqueKeysWithValues: table.shards.map { ($0.shard, $0) })
        for (shard, report) in found where !stopped.contains(shard) {
            let isStanding = report.phase == .live && standing.contains(shard)
            held[shard, default: report].phase = isStanding ? .catchingUp : report.phase
            held[shard]?.offset = report.offset
            held[shard]?.lag = report.lag
            held[shard]?.hash = report.hash
        }
        table.shards = held.values.sorted { $0.shard < $1.shard }
    }

    private mutating func say(_ placement: Placement, _ assignment: Assignment) -> [ShardReport] {
        var held = Dictionary(uniqueKeysWithValues: table.shards.map { ($0.shard, $0) })
        for shard in placement.stop { held[shard] = nil }
        for shard in placement.start {
            let replaces = assignment.replaced(by: own, for: shard)?.mark
            held[shard] = ShardReport(shard, .restoring, replaces: replaces)
        }
        for shard in placement.keep { held[shard]?.handover = nil }
        for shard in placement.handOver where held[shard]?.handover == nil {
            handovers += 1
            held[shard]?.handover = HandoverID(of: own, boot: boot, count: handovers)
        }
        return held.values.sorted { $0.shard < $1.shard }.map { report in
            var report = report
            if let mark = report.replaces, !map[report.shard].contains(where: { $0.node.mark == mark }) {
                report.replaces = nil
            }
            report.promises = map.promises(of: own, for: report.shard, isLeaving: report.isLeaving)
            return report
        }
    }

    /// Others may have done away with what was published.
    package mutating func speakAgain() { published = nil }

    /// The table, when others should have it: at once when they would act on it, else now and then.
    package mutating func takeTable(at now: Duration) -> NodeTable? {
        guard table != published else { return nil }
        let isNews = published.map { !table.isSameButForLag($0) } ?? true
        guard isNews || now - publishedAt >= publishPeriod else { return nil }
        published = table
        publishedAt = now
        return table
    }
}

extension NodeTable {
    fileprivate func isSameButForLag(_ other: NodeTable) -> Bool {
        func withoutLag(_ table: NodeTable) -> NodeTable {
            var table = table
            for index in table.shards.indices { table.shards[index].forgetProgress() }
            return table
        }
        return withoutLag(self) == withoutLag(other)
    }
}

extension ShardReport {
    /// What moves all the time and nobody acts on.
    fileprivate mutating func forgetProgress() { (offset, lag, hash) = (0, 0, nil) }
}
