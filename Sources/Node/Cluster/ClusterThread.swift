import Delivery
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
        let rebuild: @Sendable (PartitionID, Distrust) -> Void
        /// Holds these shards back, and no others: they are not live.
        let holdBack: @Sendable (Set<PartitionID>) -> Void
        let show: @Sendable (ClusterView) -> Void
    }

    fileprivate struct State {
        var members: [GossipMember] = []
        var reports: [HostedReport] = []
        var isDraining = false
        var isDrained = false
        var isNew = false
        var speaksAgain = false
        var ends = false
        var picture = ClusterPicture()
        var audit = ReplicaAudit.Counts()
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

    /// Others took this node for dead and have forgotten what it said.
    func speakAgain() {
        state.update { state in
            state.speaksAgain = true
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
    /// The cluster as it was when this node last decided what to do.
    var picture: ClusterPicture { state.withLock { $0.picture } }
    var audit: ReplicaAudit.Counts { state.withLock { $0.audit } }

    // MARK: The thread

    func run() {
        var plan = NodePlan(
            own: environment.own, table: environment.table, shardCount: environment.shardCount,
            replicas: environment.replicas, boot: UInt64(Timestamp.wall.microseconds))
        var audit = ReplicaAudit(own: environment.own, journal: environment.journal, rebuild: environment.rebuild)
        let startedAt = Timestamp.monotonic
        while let now = next(plan.publishPeriod) {
            let isPatient =
                environment.expectsOthers
                && Timestamp.monotonic.microseconds - startedAt.microseconds < ClusterThread.patience
            if isPatient, !now.hasFoundOthers(environment.own) { continue }
            let peers = now.members.filter { $0.id != environment.own && $0.isPresent }
            let clock = Duration.microseconds(Timestamp.monotonic.microseconds)
            plan.decide(
                peers: peers.map(LiveNode.init), reports: now.reports.map(ShardReport.init), isDraining: now.isDraining,
                at: clock)
            let map = plan.map
            audit.look(now.reports, plan.peers, map, at: .monotonic)
            state.withLock { state in
                state.picture = state.picture.next(now.members, own: environment.own, plan.table, map)
                state.audit = audit.counts
            }
            environment.host(Set(plan.hosted.map { PartitionID($0.number) }))
            environment.holdBack(Set(plan.standing.map { PartitionID($0.number) }))
            environment.show(ClusterView(plan, map))
            if now.speaksAgain { plan.speakAgain() }
            if let table = plan.takeTable(at: clock) { environment.publish(table) }
            if now.isDraining, plan.isDrained { state.update { $0.isDrained = true } }
        }
    }

    private func next(_ period: Duration) -> State? {
        state.when({ $0.isNew || $0.ends }, orAfter: period) { state in
            defer { (state.isNew, state.speaksAgain) = (false, false) }
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

extension ClusterView {
    fileprivate init(_ plan: NodePlan, _ map: ShardMap) {
        self.init(
            urls: Dictionary(
                uniqueKeysWithValues: plan.peers.filter { !$0.table.url.isEmpty }.map { ($0.id, $0.table.url) }),
            live: (0..<map.shardCount).map { map.serving(ShardID($0)).map(\.node) },
            starting: Set(plan.table.shards.filter { $0.phase != .live }.map(\.shard.number)),
            leaving: Set(plan.leaving.map(\.number)))
        standing = Set(plan.standing.map(\.number))
    }
}

extension LiveNode {
    /// One whose table is not here yet takes shards like the others, and holds none that we know of.
    fileprivate init(_ member: GossipMember) {
        self.init(member.id, isSuspect: member.status == .suspect, table: member.table ?? NodeTable())
    }
}

extension ShardReport {
    fileprivate init(_ report: HostedReport) {
        self.init(
            ShardID(report.partition.number), report.state.phase, offset: UInt64(report.next.value),
            lag: UInt64(report.lag), hash: report.hashes.last)
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
