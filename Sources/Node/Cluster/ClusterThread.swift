import Gossip
import Replication
import Sharding
import Telemetry
import Threads

/// Turns what gossip tells into what this node does: which shards it hosts, what it says of itself, whom it follows.
///
/// One thread; what others tell it is taken together, so that a burst of news is computed once.
final class ClusterThread: Sendable {
    struct Environment: Sendable {
        let own: NodeID
        /// What this node says of itself, without its shards.
        let table: NodeTable
        let shardCount: Int
        let replicas: Int
        let journal: Log
        /// There are others to find: a node that has just begun waits for them a little before it takes all shards.
        let expectsOthers: Bool
        let publish: @Sendable (NodeTable) -> Void
        let host: @Sendable (Set<PartitionID>) -> Void
        let show: @Sendable (ClusterView) -> Void
    }

    fileprivate struct State {
        var members: [GossipMember] = []
        var reports: [HostedReport] = []
        var isDraining = false
        var isDrained = false
        var isNew = false
        var ends = false
    }

    /// A first node waits for others this long, and for tables of those it has found.
    private static let patience: Int64 = 2_000_000

    private let environment: Environment
    private let state = Monitor(State())

    init(_ environment: Environment) { self.environment = environment }

    // MARK: From other threads

    func members(_ members: [GossipMember]) {
        state.update { state in
            state.members = members
            state.isNew = true
        }
    }

    func reports(_ reports: [HostedReport]) {
        state.update { state in
            state.reports = reports
            state.isNew = true
        }
    }

    /// Hands over all shards; `awaitDrained` says when that is done.
    func drain() {
        state.update { state in
            state.isDraining = true
            state.isNew = true
        }
    }

    /// - Returns: whether all shards are handed over, within `limit`.
    func awaitDrained(within limit: Duration) -> Bool {
        state.when({ $0.isDrained }, orAfter: limit) { $0.isDrained }
    }

    func stop() { state.update { $0.ends = true } }

    var members: [GossipMember] { state.withLock { $0.members } }

    // MARK: The thread

    func run() {
        var decision = ClusterDecision(environment)
        let startedAt = Timestamp.monotonic
        while let now = next(decision.publishPeriod) {
            let isPatient =
                environment.expectsOthers
                && Timestamp.monotonic.microseconds - startedAt.microseconds < ClusterThread.patience
            if isPatient, !now.hasFoundOthers(environment.own) { continue }
            decision.decide(members: now.members, reports: now.reports, isDraining: now.isDraining)
            environment.host(decision.hosted)
            environment.show(decision.view)
            if let table = decision.takeTable(at: .monotonic) { environment.publish(table) }
            if now.isDraining, decision.isDrained { state.update { $0.isDrained = true } }
        }
    }

    private func next(_ period: Duration) -> State? {
        state.when({ $0.isNew || $0.ends }, orAfter: period) { state in
            state.isNew = false
            return state.ends ? nil : state
        }
    }
}

extension ClusterThread.State {
    /// Somebody else is there, and all who are have said what they host.
    fileprivate func hasFoundOthers(_ own: NodeID) -> Bool {
        let others = members.filter { $0.id != own && $0.isPresent }
        return !others.isEmpty && others.allSatisfy { $0.table != nil }
    }
}

/// What a node makes of the cluster as it knows it.
struct ClusterDecision {
    private let environment: ClusterThread.Environment
    private(set) var hosted: Set<PartitionID> = []
    private(set) var view = ClusterView()
    private(set) var isDrained = false
    private var table: NodeTable
    private var published: NodeTable?
    private var publishedAt = Timestamp.monotonic
    private var memberCount = 1

    init(_ environment: ClusterThread.Environment) {
        self.environment = environment
        table = environment.table
    }

    /// How long news of lag alone waits.
    var publishPeriod: Duration { NodeTable.publishPeriod(memberCount: memberCount) }

    mutating func decide(members: [GossipMember], reports: [HostedReport], isDraining: Bool) {
        memberCount = max(1, members.count)
        table.isDraining = isDraining
        table.shards = reports.map { report in
            ShardReport(
                ShardID(report.partition.number), report.state.phase, isLeaving: isLeaving(report.partition),
                lag: UInt64(report.lag))
        }
        var nodes = members.filter { $0.id != environment.own && $0.isPresent }.map { member in
            // One whose table is not here yet takes shards like the others, and holds none that we know of.
            LiveNode(member.id, isSuspect: member.status == .suspect, table: member.table ?? NodeTable())
        }
        nodes.append(LiveNode(environment.own, table: table))
        let map = ShardMap(nodes, shardCount: environment.shardCount)
        let assignment = Assignment(nodes, shardCount: environment.shardCount, replicas: environment.replicas)
        let placement = Placement(of: environment.own, assignment: assignment, map: map)
        hosted = Set((placement.start + placement.keep + placement.handOver).map { PartitionID($0.number) })
        say(placement)
        isDrained = placement.isDrained
        view = ClusterView(
            urls: Dictionary(
                uniqueKeysWithValues: nodes.filter { $0.id != environment.own && !$0.table.url.isEmpty }
                    .map { ($0.id, $0.table.url) }),
            live: (0..<environment.shardCount).map { map.serving(ShardID($0)).map(\.node) })
    }

    private func isLeaving(_ partition: PartitionID) -> Bool {
        published?.shards.first { $0.shard.number == partition.number }?.isLeaving ?? false
    }

    /// What the decision changes in what is said of the shards.
    private mutating func say(_ placement: Placement) {
        for shard in placement.start where !table.shards.contains(where: { $0.shard == shard }) {
            table.shards.append(ShardReport(shard, .restoring))
        }
        for index in table.shards.indices {
            table.shards[index].isLeaving = placement.handOver.contains(table.shards[index].shard)
        }
        table.shards.removeAll { placement.stop.contains($0.shard) }
        table.shards.sort { $0.shard < $1.shard }
    }

    /// The table, when others should have it: at once when they would act on it, else now and then.
    mutating func takeTable(at now: Timestamp) -> NodeTable? {
        guard table != published else { return nil }
        let isNews = published.map { !table.isSameButForLag($0) } ?? true
        let period = publishPeriod.components
        let waited = now.microseconds - publishedAt.microseconds
        guard isNews || waited >= period.seconds * 1_000_000 + period.attoseconds / 1_000_000_000_000 else {
            return nil
        }
        published = table
        publishedAt = now
        return table
    }
}

extension NodeTable {
    fileprivate func isSameButForLag(_ other: NodeTable) -> Bool {
        func withoutLag(_ table: NodeTable) -> NodeTable {
            var table = table
            for index in table.shards.indices { (table.shards[index].lag, table.shards[index].hash) = (0, nil) }
            return table
        }
        return withoutLag(self) == withoutLag(other)
    }
}

extension HostedShard.State {
    fileprivate var phase: ShardReport.Phase {
        switch self {
        case .restoring: .restoring
        case .catchingUp: .catchingUp
        case .live: .live
        }
    }
}
