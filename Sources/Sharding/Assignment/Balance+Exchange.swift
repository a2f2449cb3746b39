/// What the greedy choice leaves over: a node in need that already has, or whose zone already has, all that is to be had.
/// It gets a shard from another node, which gets one from a third, up to one that can be had: an augmenting path.
///
/// The paths are those of the flow network shard → (shard, zone) → node, so by Ford and Fulkerson (1956) one exists
/// whenever the quotas can be met, which `Quotas` sees to. Paths that only change what was planned just now come first,
/// for they cost no move; then the shortest.
extension Balance {
    mutating func exchange() {
        for node in nodes.indices {
            while needs(node) {
                guard let path = path(to: node, sparingFormer: true) ?? path(to: node, sparingFormer: false) else {
                    break
                }
                for step in path {
                    if let giver = step.giver { take(step.shard, from: giver) }
                    give(step.shard, to: step.taker)
                }
            }
        }
    }

    private func path(to node: Int, sparingFormer: Bool) -> [PathSearch.Step]? {
        var search = PathSearch(from: node, nodeCount: nodes.count, sparesFormer: sparingFormer)
        return search.run(in: self)
    }
}

/// One search for the nearest shard to be had.
private struct PathSearch {
    struct Step {
        let taker: Int
        let shard: Int
        /// `nil`: the shard had room.
        let giver: Int?
    }
    /// How a node was reached: the step in which it gives.
    private var reached: [Step?]
    private var queue: [Int]
    /// Shards, and shards in a zone, that were looked at: nothing new is behind them.
    private var seenShards: Set<Int> = []
    private var seenInZone: Set<Int> = []
    private let start: Int
    /// Takes from a former holder only what it has too much of.
    private let sparesFormer: Bool

    init(from node: Int, nodeCount: Int, sparesFormer: Bool) {
        start = node
        self.sparesFormer = sparesFormer
        queue = [node]
        reached = [Step?](repeating: nil, count: nodeCount)
    }

    /// - Returns: the moves, in the order to make them; `nil` when nothing can be had.
    mutating func run(in balance: Balance) -> [Step]? {
        var next = 0
        while next < queue.count {
            let taker = queue[next]
            next += 1
            for shard in balance.kept.indices where !balance.kept[shard].contains(taker) {
                if let last = look(at: shard, for: taker, in: balance) { return path(to: last) }
            }
        }
        return nil
    }

    private mutating func look(at shard: Int, for taker: Int, in balance: Balance) -> Step? {
        let zone = balance.nodes[taker].zone
        guard seenInZone.insert(shard << 20 | zone).inserted else { return nil }
        let hasZoneRoom = balance.count(of: shard, inZone: zone) < balance.zoneLimit
        if hasZoneRoom {
            guard seenShards.insert(shard).inserted else { return nil }
            if balance.hasRoom(shard) { return Step(taker: taker, shard: shard, giver: nil) }
        }
        for giver in balance.kept[shard] where giver != start && reached[giver] == nil {
            guard hasZoneRoom || balance.nodes[giver].zone == zone else { continue }
            let step = Step(taker: taker, shard: shard, giver: giver)
            if balance.hasTooMuch(giver) { return step }
            if sparesFormer, balance.isFormer(giver, of: shard) { continue }
            reached[giver] = step
            queue.append(giver)
        }
        return nil
    }

    private func path(to last: Step) -> [Step] {
        var path = [last]
        var taker = last.taker
        while taker != start, let step = reached[taker] {
            path.append(step)
            taker = step.taker
        }
        return path
    }
}
