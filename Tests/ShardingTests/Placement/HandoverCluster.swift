import Sharding
import Simulation

/// Nodes that decide each for itself by `NodePlan`, in any order, from news of any age.
struct HandoverCluster {
    let shardCount = 24
    let replicas = 2
    private(set) var nodes: [Node] = []
    /// What each node believes the others said: copies of different age.
    private var views: [NodeID: [NodeID: NodeTable]] = [:]
    private(set) var starts = 0
    private(set) var fewestLive = Int.max

    struct Node {
        var plan: NodePlan
        /// What its replica has.
        var reports: [ShardID: ShardReport] = [:]
        /// What it said last.
        var table: NodeTable
        var isDraining = false
        var id: NodeID { plan.own }
    }

    /// - Parameter knowsAll: it has everybody's table from the start, as push/pull brings it.
    mutating func join(_ id: NodeID, weight: Int = 100, knowsAll: Bool = true) {
        var table = NodeTable()
        table.weight = weight
        let plan = NodePlan(
            own: id, table: table, shardCount: shardCount, replicas: replicas, boot: UInt64(nodes.count))
        if knowsAll { views[id] = Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, $0.table) }) }
        nodes.append(Node(plan: plan, table: table))
    }

    mutating func drain(_ place: Int) {
        nodes[place].isDraining = true
        nodes[place].table.isDraining = true
    }

    /// All news arrives; what is counted is counted from now on.
    mutating func catchUp() {
        for one in nodes {
            for other in nodes where one.id != other.id { views[one.id, default: [:]][other.id] = other.table }
        }
        starts = 0
        fewestLive = .max
    }

    /// - Returns: how many steps it took, of at most 1,000.
    mutating func settle(using random: inout SeededRandom) -> Int {
        for count in 0..<1_000 {
            if isSettled { return count }
            run(1, using: &random)
        }
        return 1_000
    }

    mutating func run(_ steps: Int, using random: inout SeededRandom) {
        for _ in 0..<steps {
            step(using: &random)
            fewestLive = min(fewestLive, live.map(\.count).min() ?? 0)
        }
    }

    /// One node hears some news and decides; its replica follows, or does not yet.
    private mutating func step(using random: inout SeededRandom) {
        let place = Int.random(in: nodes.indices, using: &random)
        let id = nodes[place].id
        for other in nodes where other.id != id && Bool.random(using: &random) {
            views[id, default: [:]][other.id] = other.table
        }
        let peers = (views[id] ?? [:]).sorted { $0.key < $1.key }.map { LiveNode($0.key, table: $0.value) }
        for shard in nodes[place].reports.keys.sorted() where Bool.random(using: &random) {
            nodes[place].reports[shard]?.phase = .live
        }
        nodes[place].plan.decide(
            peers: peers, reports: nodes[place].reports.values.sorted { $0.shard < $1.shard },
            isDraining: nodes[place].isDraining, at: .zero)
        if Bool.random(using: &random) { host(place) }
        nodes[place].table = nodes[place].plan.table
    }

    private mutating func host(_ place: Int) {
        let hosted = nodes[place].plan.hosted
        nodes[place].reports = nodes[place].reports.filter { hosted.contains($0.key) }
        for shard in hosted where nodes[place].reports[shard] == nil {
            nodes[place].reports[shard] = ShardReport(shard, .restoring)
            starts += 1
        }
    }

    // MARK: Questions

    /// By shard: who serves it.
    var live: [Set<NodeID>] {
        var live = [Set<NodeID>](repeating: [], count: shardCount)
        for node in nodes {
            for (shard, report) in node.reports where report.phase == .live { live[shard.number].insert(node.id) }
        }
        return live
    }

    var assignment: Assignment {
        Assignment(nodes.map { LiveNode($0.id, table: $0.table) }, shardCount: shardCount, replicas: replicas)
    }

    /// How many replicas have to be begun.
    var planned: Int {
        let held = Dictionary(uniqueKeysWithValues: nodes.map { ($0.id, Set($0.reports.keys)) })
        let assignment = assignment
        return (0..<shardCount).map(ShardID.init).reduce(0) { count, shard in
            count + assignment.replicas(of: shard).count { held[$0]?.contains(shard) == false }
        }
    }

    /// Those who should serve do, nobody else does, and nobody is leaving.
    var isSettled: Bool {
        let assignment = assignment
        return live.enumerated().allSatisfy { $1 == Set(assignment.replicas(of: ShardID($0))) }
            && nodes.allSatisfy { !$0.table.shards.contains(where: \.isLeaving) }
    }
}
