/// Replicas of a shard whose states differ after the same records.
package struct Divergence: Equatable, Sendable, CustomStringConvertible {
    package let shard: ShardID
    package let offset: UInt64
    /// Sorted by node.
    package let hashes: [(node: NodeID, hash: UInt64)]

    /// Those whom no majority backs: they should rebuild from snapshot and log. Empty when there is no majority.
    package var outvoted: [NodeID] {
        let counts = Dictionary(grouping: hashes, by: \.hash).mapValues(\.count)
        guard let (hash, count) = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }), count * 2 > hashes.count
        else { return [] }
        return hashes.filter { $0.hash != hash }.map(\.node)
    }

    package static func == (left: Divergence, right: Divergence) -> Bool {
        left.shard == right.shard && left.offset == right.offset
            && left.hashes.elementsEqual(right.hashes) { $0 == $1 }
    }
    package var description: String {
        let said = hashes.map { "\($0.node) has \(String($0.hash, radix: 16))" }.joined(separator: ", ")
        return "shard \(shard) differs at offset \(offset): \(said)"
    }
}

/// Compares the state hashes that replicas report, at the offsets they have in common.
package struct HashLedger: Sendable {
    /// Per shard: replicas pass an offset at different times, and a table tells only the newest, so the newest few are
    /// kept.
    package static let offsetsMax = 32
    private var byShard: [ShardID: [UInt64: [NodeID: UInt64]]] = [:]

    package init() {}

    /// - Returns: the divergence, if what `node` reports is news and differs from another's.
    package mutating func note(_ hash: StateHash, of shard: ShardID, from node: NodeID) -> Divergence? {
        var offsets = byShard[shard] ?? [:]
        let known = offsets[hash.offset]?[node]
        offsets[hash.offset, default: [:]][node] = hash.hash
        if offsets.count > Self.offsetsMax, let oldest = offsets.keys.min() { offsets[oldest] = nil }
        byShard[shard] = offsets
        return known == hash.hash ? nil : divergence(of: shard, at: hash.offset)
    }

    /// As far as is known now.
    package func divergence(of shard: ShardID, at offset: UInt64) -> Divergence? {
        guard let all = byShard[shard]?[offset], Set(all.values).count > 1 else { return nil }
        let hashes = all.sorted { $0.key < $1.key }.map { (node: $0.key, hash: $0.value) }
        return Divergence(shard: shard, offset: offset, hashes: hashes)
    }

    /// Whether somebody else had the same state there as this node.
    package func isBacked(_ node: NodeID, of shard: ShardID, at offset: UInt64) -> Bool {
        guard let all = byShard[shard]?[offset], let own = all[node] else { return false }
        return all.contains { $0.key != node && $0.value == own }
    }

    /// The node is gone, or has rebuilt the shard: what it said before counts no more.
    package mutating func forget(_ node: NodeID, shard: ShardID? = nil) {
        for key in byShard.keys where shard == nil || shard == key {
            guard let offsets = byShard[key] else { continue }
            byShard[key] = offsets.mapValues { $0.filter { $0.key != node } }
        }
    }
}
