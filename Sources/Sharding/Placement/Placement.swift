/// What a node should do about its own shards now. Decided again after every change; each decision holds by itself.
///
/// A holder that is to give up a shard serves on until all its successors are live, so a planned move never leaves fewer
/// live replicas than asked for. One that is not live itself has nothing to hand over and stops at once.
package struct Placement: Equatable, Sendable {
    /// Not held yet: restore and catch up. Report the shard from now on.
    package private(set) var start: [ShardID] = []
    /// Held: carry on, and report it as not leaving.
    package private(set) var keep: [ShardID] = []
    /// Held and served, with successors that are not all live: serve on, and report it as leaving.
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
            case (let own?, false):
                if own.isLive, !Self.areLive(successors, in: map[shard]) {
                    handOver.append(shard)
                } else {
                    stop.append(shard)
                }
            }
        }
    }

    /// Whether a node that drains may go: nothing is left that nobody else could serve as well.
    package var isDrained: Bool { start.isEmpty && keep.isEmpty && handOver.isEmpty }

    private static func areLive(_ successors: [NodeID], in replicas: [ShardMap.Replica]) -> Bool {
        !successors.isEmpty
            && successors.allSatisfy { node in
                replicas.contains { $0.node == node && $0.isLive && !$0.isSuspect }
            }
    }
}
