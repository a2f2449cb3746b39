/// Who takes what has to move: all pairs of a node in need and a shard on the move, highest score first.
extension Balance {
    private struct Pair {
        let score: UInt64
        let shard: Int
        let node: Int
        static func isBefore(_ left: Pair, _ right: Pair) -> Bool {
            (right.score, left.shard, left.node) < (left.score, right.shard, right.node)
        }
    }

    /// Goes through the pairs in slices of the scale of scores. A pair that was refused once stays refused (needs, excess
    /// and room only shrink), so later slices look only at what is left, and 1,000 nodes × 10,000 shards never become
    /// ten million sorted pairs.
    mutating func fill() {
        var ceiling: UInt64 = 1 << 63
        while ceiling > 0 {
            let takers = nodes.indices.filter { needs($0) }
            let shards = kept.indices.filter { hasRoom($0) || kept[$0].contains { hasTooMuch($0) } }
            let count = UInt64(takers.count * shards.count)
            guard count > 0 else { return }
            let floor = count <= Self.slice ? 0 : ceiling - ceiling / count * Self.slice
            for pair in pairs(of: takers, and: shards, from: floor, to: ceiling).sorted(by: Pair.isBefore) {
                settle(pair.shard, on: pair.node)
            }
            ceiling = floor
        }
    }

    /// Pairs in one slice, about: enough to settle most of what there is, few enough to sort.
    private static var slice: UInt64 { 65_536 }

    private func pairs(of takers: [Int], and shards: [Int], from floor: UInt64, to ceiling: UInt64) -> [Pair] {
        var pairs: [Pair] = []
        let hashes = takers.map { nodes[$0].hash }
        for shard in shards {
            let shardHash = shardHashes[shard]
            for (place, hash) in hashes.enumerated() {
                let score = Rendezvous.score(node: hash, shard: shardHash)
                if score >= floor, score < ceiling {
                    pairs.append(Pair(score: score, shard: shard, node: takers[place]))
                }
            }
        }
        return pairs
    }

    /// Gives `node` the shard if it still needs one and the shard has room or a holder with too much.
    private mutating func settle(_ shard: Int, on node: Int) {
        guard needs(node) else { return }
        if hasRoom(shard), canTake(shard, node, from: nil) { return give(shard, to: node) }
        let giver = kept[shard].filter { hasTooMuch($0) && canTake(shard, node, from: $0) }
            .min { score($0, shard) < score($1, shard) }
        guard let giver else { return }
        take(shard, from: giver)
        give(shard, to: node)
    }
}
