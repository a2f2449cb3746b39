/// Which nodes should hold each shard: balanced rendezvous hashing that leaves alone what need not move.
///
/// A pure function of the members, the number of shards, the number of replicas and who holds what, whatever their
/// order, so that all nodes with the same view come to the same answer and none has to be asked. In this order:
///
/// 1. A shard has as many replicas as asked for (or as there are nodes that take any), on different nodes, and in as
///    many zones as can be: no zone has more than the least number that leaves room for all.
/// 2. A node has its share of all replicas, rounded down or up: in proportion to its weight, except where a zone (or
///    a node) that takes at most one of each shard would get more than there are; the others share that.
/// 3. Among such assignments one that moves little: a holder loses a shard only when it has more than its share, when
///    the shard has too many holders, or two in one zone. A node that joins takes its own share from those above theirs
///    and a node that dies leaves what it had: no other shard moves. (Where zones or other replicas bar every direct
///    move, a chain of moves is made, the shortest there is.)
/// 4. Who takes what moves is decided by rendezvous score, highest first, so that the moves already made, in whatever
///    order, do not change those still to make: the answer is the same before, during and after its own execution.
///
/// Source for 4: with one common order of pairs the greedy choice is the only stable matching, and taking a matched pair
/// away leaves the rest matched as it was. Unlike consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam,
/// 2016) the bound is exact, and the holders make up for the movement that this would cost.
package struct Assignment: Equatable, Sendable {
    package struct Member: Hashable, Sendable {
        package static let weights = 0...1_000
        package let id: NodeID
        /// What fails together: nodes of one zone share a risk.
        package let zone: String
        /// 0 takes nothing, as when draining. Brought into `weights`.
        package let weight: Int
        package init(_ id: NodeID, zone: String = "", weight: Int = 100) {
            self.id = id
            self.zone = zone
            self.weight = min(max(weight, Self.weights.lowerBound), Self.weights.upperBound)
        }
    }

    package let shardCount: Int
    /// Sorted; those that take shards.
    package let nodes: [NodeID]
    /// By shard: places in `nodes`, in rendezvous order.
    private let placed: [[Int]]
    /// By shard: who comes in for whom.
    private let moves: [[NodeID: NodeID]]

    /// - Parameters:
    ///   - members: those believed alive (suspects among them), each once.
    ///   - replicas: how many nodes should hold a shard, at least 1.
    ///   - holders: by shard, who holds it now and is not about to give it up. May name nodes that are gone; may be
    ///     short or empty.
    ///   - leavers: by shard, who still holds it but is about to give it up. Should it be short of replicas after all,
    ///     they come before others: what is there need not be made anew.
    package init(
        members: [Member], shardCount: Int, replicas: Int, holders: [[NodeID]] = [], leavers: [[NodeID]] = []
    ) {
        precondition(replicas > 0, "a shard with \(replicas) replicas is nowhere")
        precondition((0...ShardID.countMax).contains(shardCount), "no cluster has \(shardCount) shards")
        let takers = Self.takers(among: members)
        self.shardCount = shardCount
        nodes = takers.map(\.id)
        var balance = Balance(takers, shardCount: shardCount, replicas: replicas)
        balance.keep(holders)
        balance.takeBack(leavers)
        balance.fill()
        balance.exchange()
        placed = balance.byScore
        moves = balance.moves
    }

    /// In rendezvous order: the first that is live leads.
    package func replicas(of shard: ShardID) -> [NodeID] {
        shard.number < shardCount ? placed[shard.number].map { nodes[$0] } : []
    }

    /// Whose place `node` takes, where a shard has to change hands.
    package func replaced(by node: NodeID, for shard: ShardID) -> NodeID? {
        shard.number < shardCount ? moves[shard.number][node] : nil
    }

    package func shards(of node: NodeID) -> [ShardID] {
        guard let place = nodes.firstIndex(of: node) else { return [] }
        return (0..<shardCount).filter { placed[$0].contains(place) }.map(ShardID.init)
    }

    private static func takers(among members: [Member]) -> [Member] {
        var takers: [Member] = []
        for member in members.sorted(by: { ($0.id, $0.zone, $0.weight) < ($1.id, $1.zone, $1.weight) })
        where member.weight > 0 && takers.last?.id != member.id {
            takers.append(member)
        }
        return takers
    }
}
