/// A node as the balance sees it: hashes and small numbers.
struct BalancedNode {
    let hash: UInt64
    let weight: Int
    let zone: Int
}

/// An assignment in the making: who keeps, who needs, who has too much.
struct Balance {
    let nodes: [BalancedNode]
    let ids: [NodeID]
    /// At most as many as there are nodes.
    let replicas: Int
    /// How many replicas of one shard a zone may have: 1 where there are zones enough.
    let zoneLimit: Int
    let shardHashes: [UInt64]
    private let quotas: Quotas

    private(set) var quota: [Int]
    /// By node: how many shards it has.
    private(set) var held: [Int]
    /// By shard: the places of its nodes.
    private(set) var kept: [[Int]]
    /// By shard: who had it to begin with.
    private var former: [[Int]]

    init(_ members: [Assignment.Member], shardCount: Int, replicas: Int) {
        let zones = Set(members.map(\.zone)).sorted()
        let zoneNumbers = Dictionary(uniqueKeysWithValues: zip(zones, zones.indices))
        ids = members.map(\.id)
        nodes = members.map { member in
            BalancedNode(
                hash: member.id.hash, weight: member.weight, zone: zoneNumbers[member.zone] ?? 0)
        }
        self.replicas = min(replicas, members.count)
        var sizes = [Int](repeating: 0, count: zones.count)
        for node in nodes { sizes[node.zone] += 1 }
        let zoneLimit = Self.zoneLimit(replicas: self.replicas, sizes: sizes)
        self.zoneLimit = zoneLimit
        shardHashes = (0..<shardCount).map { Rendezvous.hash(of: $0) }
        quotas = Quotas(
            nodes, total: shardCount * self.replicas, perNode: shardCount,
            perZone: sizes.map { shardCount * min(zoneLimit, $0) })
        quota = []
        held = [Int](repeating: 0, count: members.count)
        kept = [[Int]](repeating: [], count: shardCount)
        former = kept
    }

    private static func zoneLimit(replicas: Int, sizes: [Int]) -> Int {
        var limit = 1
        while sizes.reduce(0, { $0 + min(limit, $1) }) < replicas { limit += 1 }
        return limit
    }

    /// Each shard's nodes, highest score first.
    var byScore: [[Int]] {
        kept.indices.map { shard in
            kept[shard].map { (score: score($0, shard), node: $0) }
                .sorted { $0.score == $1.score ? $0.node < $1.node : $0.score > $1.score }
                .map(\.node)
        }
    }

    /// By shard: who came in for whom.
    var moves: [[NodeID: NodeID]] {
        zip(kept, former).map { kept, former in
            guard kept != former else { return [:] }
            let came = kept.filter { !former.contains($0) }.map { ids[$0] }.sorted()
            let went = former.filter { !kept.contains($0) }.map { ids[$0] }.sorted()
            return Dictionary(uniqueKeysWithValues: zip(came, went))
        }
    }

    // MARK: Questions

    func score(_ node: Int, _ shard: Int) -> UInt64 {
        Rendezvous.score(node: nodes[node].hash, shard: shardHashes[shard])
    }
    func needs(_ node: Int) -> Bool { held[node] < quota[node] }
    func hasTooMuch(_ node: Int) -> Bool { held[node] > quota[node] }
    func hasRoom(_ shard: Int) -> Bool { kept[shard].count < replicas }
    /// How many replicas of a shard a zone has.
    func count(of shard: Int, inZone zone: Int) -> Int {
        kept[shard].reduce(0) { $0 + (nodes[$1].zone == zone ? 1 : 0) }
    }
    /// Whether `taker` may have `shard` once `giver` has not.
    func canTake(_ shard: Int, _ taker: Int, from giver: Int?) -> Bool {
        if kept[shard].contains(taker) { return false }
        let zone = nodes[taker].zone
        let freed = giver.map { nodes[$0].zone == zone ? 1 : 0 } ?? 0
        return count(of: shard, inZone: zone) - freed < zoneLimit
    }

    /// Whether taking the shard from this node undoes what was there, rather than only what was planned just now.
    func isFormer(_ giver: Int, of shard: Int) -> Bool { former[shard].contains(giver) }

    // MARK: Moves

    mutating func give(_ shard: Int, to taker: Int) {
        kept[shard].append(taker)
        held[taker] += 1
    }
    mutating func take(_ shard: Int, from giver: Int) {
        kept[shard].removeAll { $0 == giver }
        held[giver] -= 1
    }

    // MARK: What stays

    /// Starts from who holds what, and settles from it what each node should have.
    mutating func keep(_ holders: [[NodeID]]) {
        let places = Dictionary(uniqueKeysWithValues: zip(ids, ids.indices))
        for shard in 0..<min(kept.count, holders.count) {
            for place in Set(holders[shard].compactMap { places[$0] }).sorted() { give(shard, to: place) }
        }
        former = kept
        quota = quotas.rounded(held: held)
        for shard in kept.indices { trim(shard) }
    }

    /// Lets those who still have a shard that is short keep it, if they need one.
    mutating func takeBack(_ leavers: [[NodeID]]) {
        guard leavers.contains(where: { !$0.isEmpty }) else { return }
        let places = Dictionary(uniqueKeysWithValues: zip(ids, ids.indices))
        var pairs: [(score: UInt64, shard: Int, node: Int)] = []
        for shard in 0..<min(kept.count, leavers.count) where hasRoom(shard) {
            for place in leavers[shard].compactMap({ places[$0] }) { pairs.append((score(place, shard), shard, place)) }
        }
        for (_, shard, node) in pairs.sorted(by: { ($1.0, $0.1, $0.2) < ($0.0, $1.1, $1.2) })
        where needs(node) && hasRoom(shard) && canTake(shard, node, from: nil) {
            give(shard, to: node)
        }
    }

    /// Takes a shard from holders too many, or too many in one zone: first from who has too much anyway, for that is who
    /// gives it up to another that has it already.
    private mutating func trim(_ shard: Int) {
        while true {
            let crowded = kept[shard].filter { count(of: shard, inZone: nodes[$0].zone) > zoneLimit }
            let candidates = crowded.isEmpty && kept[shard].count > replicas ? kept[shard] : crowded
            guard let giver = candidates.min(by: { gives($0, before: $1, shard) }) else { return }
            take(shard, from: giver)
        }
    }

    private func gives(_ first: Int, before second: Int, _ shard: Int) -> Bool {
        let excess = (held[first] - quota[first], held[second] - quota[second])
        return excess.0 == excess.1 ? score(first, shard) < score(second, shard) : excess.0 > excess.1
    }
}
