import Sharding
import Testing

@Suite struct StateAuditTests {
    private let shard = ShardID(3)

    private func hash(_ offset: UInt64, _ hash: UInt64) -> StateHash { StateHash(offset: offset, hash: hash) }

    @Test func `a replica that two others outvote is made anew, and is told how far it was like them`() throws {
        let (a, b, c) = (try node("a"), try node("b"), try node("c"))
        var audit = StateAudit(own: b)
        for node in [a, b, c] { #expect(audit.hear(hash(10_000, 1), of: shard, from: node, at: 0) == nil) }
        #expect(audit.hear(hash(20_000, 2), of: shard, from: a, at: 1) == nil)
        #expect(audit.hear(hash(20_000, 9), of: shard, from: b, at: 2) != nil)
        #expect(
            audit.judge(at: 3) { _ in [a, b, c] }.isEmpty, "one says this, one says that, and one is still to come")
        #expect(audit.hear(hash(20_000, 2), of: shard, from: c, at: 4) == nil, "it was told already")
        let verdict = try #require(audit.judge(at: 5) { _ in [a, b, c] }.first)
        #expect(verdict.isByMajority)
        #expect(verdict.trusted == [a, c])
        #expect(verdict.rebuilding == [b])
        #expect(verdict.agreedAt == 10_000)
        #expect(audit.judge(at: 6) { _ in [a, b, c] }.isEmpty, "it is judged once")
    }

    @Test func `of two that differ the first in rendezvous order stays, and both come to that`() throws {
        let nodes = [try node("a"), try node("b")]
        let order = Rendezvous.order(nodes, for: shard)
        for own in nodes {
            var audit = StateAudit(own: own)
            _ = audit.hear(hash(10_000, 1), of: shard, from: nodes[1], at: 0)
            #expect(audit.hear(hash(10_000, 2), of: shard, from: nodes[0], at: 0) != nil)
            let verdict = try #require(audit.judge(at: 0) { _ in nodes }.first)
            #expect(!verdict.isByMajority)
            #expect(verdict.trusted == [order[0]])
            #expect(verdict.rebuilding == [order[1]])
            #expect(verdict.agreedAt == nil)
        }
    }

    @Test func `a third replica that says nothing is waited for, but not for ever`() throws {
        let nodes = [try node("a"), try node("b"), try node("c")]
        var audit = StateAudit(own: nodes[0])
        _ = audit.hear(hash(10_000, 1), of: shard, from: nodes[0], at: 0)
        _ = audit.hear(hash(10_000, 2), of: shard, from: nodes[1], at: 0)
        #expect(audit.judge(at: StateAudit.patience - 1) { _ in nodes }.isEmpty)
        #expect(audit.judge(at: StateAudit.patience) { _ in nodes }.count == 1)
    }

    @Test func `a replica that is made anew is not held to what it said before, nor made anew again at once`() throws {
        let nodes = Rendezvous.order([try node("a"), try node("b")], for: shard)
        var audit = StateAudit(own: nodes[1])
        for offset in [10_000, 20_000] as [UInt64] {
            _ = audit.hear(hash(offset, 7), of: shard, from: nodes[1], at: 0)
        }
        _ = audit.hear(hash(10_000, 1), of: shard, from: nodes[0], at: 0)
        #expect(audit.judge(at: 0) { _ in nodes }.count == 1)
        #expect(audit.hear(hash(20_000, 1), of: shard, from: nodes[0], at: 1) == nil)
        _ = audit.hear(hash(30_000, 1), of: shard, from: nodes[0], at: 2)
        #expect(audit.hear(hash(30_000, 7), of: shard, from: nodes[1], at: StateAudit.rest - 1) == nil)
        _ = audit.hear(hash(40_000, 1), of: shard, from: nodes[0], at: StateAudit.rest)
        #expect(audit.hear(hash(40_000, 7), of: shard, from: nodes[1], at: StateAudit.rest) != nil)
    }

    @Test func `a divergence that is gone with its node is not judged`() throws {
        let (a, b) = (try node("a"), try node("b"))
        var audit = StateAudit(own: a)
        _ = audit.hear(hash(10_000, 1), of: shard, from: a, at: 0)
        _ = audit.hear(hash(10_000, 2), of: shard, from: b, at: 0)
        audit.forget(b)
        #expect(audit.judge(at: 0) { _ in [a] }.isEmpty)
    }
}
