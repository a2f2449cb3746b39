import JSON
import Sharding
import Threads

/// Who has which shard, as a node tells in `/v1/cluster`.
struct BenchShardMap: Sendable {
    struct Replica: Sendable {
        let node: String
        /// Live, and not about to go.
        let isLive: Bool
    }

    let members: Set<String>
    /// By number.
    let shards: [[Replica]]

    init(_ page: JSONValue) {
        members = Set((page["members"]?.array ?? []).compactMap { $0["id"]?.string })
        shards = (page["shards"]?.array ?? []).map { shard in
            (shard["replicas"]?.array ?? []).map {
                Replica(node: $0["node"]?.string ?? "", isLive: $0["state"]?.string == "live")
            }
        }
    }

    /// By shard.
    var holders: [[NodeID]] { shards.map { $0.compactMap { NodeID($0.node) } } }
}

/// Counts the replicas that nodes begin, by what they log: one that goes and comes again shows here and in no map.
final class ShardMovesSeen: Sendable {
    private let state = Monitor<(held: Set<ShardMoves.Move>, begun: [ShardMoves.Move])>(([], []))

    /// Counts from here on, and from these holders.
    func begin(_ holders: [[NodeID]]) {
        let held = holders.enumerated().flatMap { shard, nodes in
            nodes.map { ShardMoves.Move(ShardID(shard), to: $0) }
        }
        state.withLock { $0 = (Set(held), []) }
    }

    var moves: [ShardMoves.Move] { state.withLock { $0.begun } }

    /// - Parameter line: as nodes' events are shown: `n2  shard live milliseconds=9 offset=7 partition=3 records=5`.
    func take(_ line: String) {
        let words = line.split(separator: " ")
        guard words.count > 3, words[1] == "shard", let node = NodeID(String(words[0])),
            let number = words.first(where: { $0.hasPrefix("partition=") })?.split(separator: "=").last,
            let shard = Int(number)
        else { return }
        let replica = ShardMoves.Move(ShardID(shard), to: node)
        state.withLock { state in
            if words[2] == "released" { state.held.remove(replica) }
            if words[2] == "live", state.held.insert(replica).inserted { state.begun.append(replica) }
        }
    }
}
