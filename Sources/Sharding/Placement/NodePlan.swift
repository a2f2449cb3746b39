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

    /// The assignment made last, and of what.
    private var last: (grounds: Assignment.Grounds, assignment: Assignment)?

    private struct Grounds: Equatable, Sendable {
        let peers: [LiveNode]
        let reports: [ShardReport]
        let standing: Set<ShardID>
        let isDraining: Bool

        /// Whether a decision on these comes out as one on those: it does not look at how far replicas are.
        func isSameButForProgress(as other: Grounds) -> Bool {
            isDraining == other.isDraining && standing == other.standing
                && reports.areSameButForProgress(as: other.reports)
                && peers.elementsEqual(other.peers) { mine, theirs in
                    mine.id == theirs.id && mine.isSuspect == theirs.isSuspect
                        && mine.table.isSameButForProgress(as: theirs.table)
                }
        }
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
    }

    /// Who has what, as far as this node knows. Worked out each time it is asked for.
    package var map: ShardMap { ShardMap(peers + [LiveNode(own, table: table)], shardCount: shardCount) }

    /// Shards that this node has and is about to give up, while another has them live and stays, as far as this one knows.
    package var leaving: [ShardID] {
        let leaving = table.shards.filter(\.isLeaving).map(\.shard)
        guard !leaving.isEmpty else { return [] }
        let map = map
        return leaving.filter { shard in
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
    /// - Returns: whether anything was decided, and not only how far replicas are has changed.
    @discardableResult
    package mutating func decide(peers: [LiveNode], reports: [ShardReport], isDraining: Bool, at now: Duration) -> Bool
    {
        standstill.look(reports, peers, at: now)
        let grounds = Grounds(
            peers: peers, reports: reports, standing: standstill.shards, isDraining: isDraining)
        guard grounds != settled else { return false }
        if let settled, grounds.isSameButForProgress(as: settled) {
            self.peers = peers
            note(reports)
            self.settled = grounds
            return false
        }
        let before = (table, stopped, hosted)
        decide(on: grounds)
        let isSame = table.isSameButForProgress(as: before.0) && (stopped, hosted) == (before.1, before.2)
        settled = isSame ? grounds : nil
        return true
    }

    private mutating func decide(on grounds: Grounds) {
        let (peers, reports, isDraining) = (grounds.peers, grounds.reports, grounds.isDraining)
        self.peers = peers
        table.isDraining = isDraining
        note(reports)
        let nodes = peers + [LiveNode(own, table: table)]
        let map = ShardMap(nodes, shardCount: shardCount)
        let assignment = assignment(on: Assignment.Grounds(nodes, map))
        let placement = Placement(of: own, assignment: assignment, map: map)
        hosted = Set(placement.start + placement.keep + placement.handOver)
        stopped = stopped.union(placement.stop).subtracting(placement.start)
        isDrained = placement.isDrained
        table.shards = say(placement, assignment, map)
    }

    private mutating func assignment(on grounds: Assignment.Grounds) -> Assignment {
        if let last, last.grounds == grounds { return last.assignment }
        let assignment = Assignment(grounds, replicas: replicas)
        last = (grounds, assignment)
        return assignment
    }

    /// What the replica says goes beside what was said of handovers. A shard just begun is held though the replica does
    /// not know of it yet.
    private mutating func note(_ reports: [ShardReport]) {
        if !stopped.isEmpty { stopped.formIntersection(reports.map(\.shard)) }
        for report in reports where !stopped.contains(report.shard) {
            let place = table.shards.place(of: report.shard)
            if table[report.shard] == nil { table.shards.insert(report, at: place) }
            let isStanding = report.phase == .live && standing.contains(report.shard)
            table.shards[place].phase = isStanding ? .catchingUp : report.phase
            table.shards[place].offset = report.offset
            table.shards[place].lag = report.lag
            table.shards[place].hash = report.hash
        }
    }

    private mutating func say(_ placement: Placement, _ assignment: Assignment, _ map: ShardMap) -> [ShardReport] {
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
        let isNews = published.map { !table.isSameButForProgress(as: $0) } ?? true
        guard isNews || now - publishedAt >= publishPeriod else { return nil }
        published = table
        publishedAt = now
        return table
    }
}

extension NodeTable {
    fileprivate func isSameButForProgress(as other: NodeTable) -> Bool {
        var (mine, theirs) = (self, other)
        (mine.shards, theirs.shards) = ([], [])
        return mine == theirs && (shards == other.shards || shards.areSameButForProgress(as: other.shards))
    }
}

extension [ShardReport] {
    fileprivate func areSameButForProgress(as others: [ShardReport]) -> Bool {
        elementsEqual(others) { $0.withoutProgress == $1.withoutProgress }
    }
}

extension ShardReport {
    /// Without what moves all the time and nobody acts on.
    fileprivate var withoutProgress: ShardReport {
        var report = self
        (report.offset, report.lag, report.hash) = (0, 0, nil)
        return report
    }
}
