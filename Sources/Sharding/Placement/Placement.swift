/// What a node should do about its own shards now. Decided again after every change; each decision holds by itself.
///
/// A planned move never leaves fewer live replicas than asked for, however old the news is that each node decides on. A
/// holder that is to give up a shard says so under a new `HandoverID` and serves on. Who stays and sees that *promises*
/// not to stop before that handover is over. The holder stops when as many live replicas that stay as there should be
/// have promised: they cannot, at the same time and knowing less, be leaving on the strength of its staying. One that is
/// not live itself has nothing to hand over and stops at once.
package struct Placement: Equatable, Sendable {
    /// Not held yet: restore and catch up. Report the shard from now on.
    package private(set) var start: [ShardID] = []
    /// Held: carry on, and report it as not leaving.
    package private(set) var keep: [ShardID] = []
    /// Held and served, with successors that are not all live or have not promised: serve on, and report it as leaving.
    package private(set) var handOver: [ShardID] = []
    /// Tell clients where the shard has moved, stop, and report it no longer.
    package private(set) var stop: [ShardID] = []

    package init(of node: NodeID, assignment: Assignment, map: ShardMap) {
        for number in 0..<assignment.shardCount {
            let shard = ShardID(number)
            let successors = assignment.replicas(of: shard)
            let own = map[shard].first { $0.node == node }
            switch (own, successors.contains(node)) {
            case (nil, true): start.append(shard)
            case (nil, false): break
            case (_?, true): keep.append(shard)
            case (let own?, false): giveUp(own, to: successors, among: map[shard])
            }
        }
    }

    /// Whether a node that drains may go: nothing is left that nobody else could serve as well.
    package var isDrained: Bool { start.isEmpty && keep.isEmpty && handOver.isEmpty }

    private mutating func giveUp(_ own: ShardMap.Replica, to successors: [NodeID], among replicas: [ShardMap.Replica]) {
        let others = replicas.filter { $0.node != own.node }
        let shard = own.report.shard
        if !own.isLive || Self.mayStop(own, successors: successors.count, others) {
            stop.append(shard)
        } else if successors.allSatisfy({ node in others.contains { $0.node == node } }) {
            handOver.append(shard)
        } else {
            // They have not begun. Until they have, who gives up what may still turn out otherwise.
            keep.append(shard)
        }
    }

    private static func mayStop(
        _ own: ShardMap.Replica, successors: Int, _ others: [ShardMap.Replica]
    ) -> Bool {
        guard let handover = own.report.handover, successors > 0 else { return false }
        let isBound = others.contains { other in other.report.handover.map(own.report.promises.contains) ?? false }
        let safe = others.filter { other in
            other.isLive && !other.isSuspect && !other.report.isLeaving && other.report.promises.contains(handover)
        }
        return !isBound && safe.count >= successors
    }
}

extension ShardMap {
    /// What a replica that stays promises: to outlast every handover it sees. One that leaves itself promises nothing
    /// new, and keeps what it promised.
    func promises(of node: NodeID, for shard: ShardID, isLeaving: Bool) -> [HandoverID] {
        let seen = self[shard].filter { $0.node != node }.compactMap(\.report.handover).sorted()
        guard isLeaving else { return seen }
        let given = self[shard].first { $0.node == node }?.report.promises ?? []
        return seen.filter(given.contains)
    }
}
