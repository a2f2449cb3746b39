/// What has to move when the members of a cluster change, and nothing else: the yardstick for a cluster that did it.
///
/// Pure, as the assignment it comes from; nodes decide on the same function and so should come to the same.
package struct ShardMoves: Equatable, Sendable {
    /// A node takes a replica that it did not have.
    package struct Move: Hashable, Comparable, Sendable, CustomStringConvertible {
        package let shard: ShardID
        package let to: NodeID

        package init(_ shard: ShardID, to node: NodeID) {
            self.shard = shard
            to = node
        }

        package static func < (left: Move, right: Move) -> Bool {
            (left.shard, left.to) < (right.shard, right.to)
        }
        package var description: String { "shard \(shard) to \(to)" }
    }

    /// By shard, who holds it in the end, by name.
    package let holders: [[NodeID]]
    package let moves: Set<Move>

    /// - Parameters:
    ///   - holders: by shard, who holds it before. Members that are not there any more may be among them.
    ///   - members: those that are there afterwards.
    package init(of holders: [[NodeID]], to members: [Assignment.Member], replicas: Int) {
        let assignment = Assignment(
            members: members, shardCount: holders.count, replicas: replicas, holders: holders)
        let after = holders.indices.map { assignment.replicas(of: ShardID($0)).sorted() }
        self.holders = after
        moves = Set(
            holders.indices.flatMap { shard in
                Set(after[shard]).subtracting(holders[shard]).map { Move(ShardID(shard), to: $0) }
            })
    }
}
