import Sharding
import Testing

@Suite struct ShardMovesTests {
    private func members(_ names: [String]) throws -> [Assignment.Member] {
        try names.map { Assignment.Member(try #require(NodeID($0))) }
    }

    private func holders(_ names: [String]) throws -> [[NodeID]] {
        let assignment = Assignment(members: try members(names), shardCount: 12, replicas: 2)
        return (0..<12).map { assignment.replicas(of: ShardID($0)) }
    }

    @Test func `a second node takes a replica of each shard and a third its share of what is there`() throws {
        let first = ShardMoves(of: try holders(["a"]), to: try members(["a", "b"]), replicas: 2)
        let b = try #require(NodeID("b"))
        #expect(first.moves == Set((0..<12).map { .init(ShardID($0), to: b) }))
        let second = ShardMoves(of: first.holders, to: try members(["a", "b", "c"]), replicas: 2)
        #expect(second.moves.count == 8)
        #expect(second.moves.allSatisfy { $0.to.name == "c" })
    }

    @Test func `a node that goes leaves what it had to others, and where all have all nothing moves`() throws {
        let held = try holders(["a", "b", "c"])
        let a = try #require(NodeID("a"))
        let left = ShardMoves(of: held, to: try members(["b", "c"]), replicas: 2)
        #expect(Set(left.moves.map(\.shard.number)) == Set(held.indices.filter { held[$0].contains(a) }))
        #expect(!left.moves.contains { $0.to == a })
        #expect(ShardMoves(of: left.holders, to: try members(["c"]), replicas: 2).moves.isEmpty)
    }

    @Test func `the same members move nothing, whatever their order and that of the holders`() throws {
        let held = try holders(["a", "b", "c"])
        let still = ShardMoves(of: held.map { $0.reversed() }, to: try members(["c", "a", "b"]), replicas: 2)
        #expect(still.moves.isEmpty)
        #expect(still.holders == held.map { $0.sorted() })
    }
}
