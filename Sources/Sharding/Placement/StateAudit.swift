/// Watches over replicas' states by their hashes, and says which replica has to be made anew.
///
/// Pure; each node has its own and acts on its own replicas alone. All come to the same verdict, for it depends on what
/// was said, and on who leads by rendezvous order, but not on who asks.
package struct StateAudit: Sendable {
    package struct Verdict: Equatable, Sendable {
        package let divergence: Divergence
        /// More than half of the shard's replicas agree. Otherwise nobody can say who is right, and the first in
        /// rendezvous order is taken at its word, so that at least all say the same again.
        package let isByMajority: Bool
        package let trusted: [NodeID]
        package let rebuilding: [NodeID]
        /// The newest offset at which this node's state was that of another.
        package let agreedAt: UInt64?
    }

    /// Replicas that have not come to the offset are waited for this long, µs.
    package static let patience: Int64 = 5_000_000
    /// A replica that goes on to differ is not made anew more often than this, µs: it would never serve.
    package static let rest: Int64 = 30_000_000

    private let own: NodeID
    private var ledger = HashLedger()
    private var open: [ShardID: (offset: UInt64, since: Int64)] = [:]
    private var agreedAt: [ShardID: UInt64] = [:]
    private var restsUntil: [ShardID: Int64] = [:]

    package init(own: NodeID) { self.own = own }

    /// - Returns: the divergence, if this brings one to light. Told once per shard until it is judged.
    package mutating func hear(
        _ hash: StateHash, of shard: ShardID, from node: NodeID, at now: Int64
    ) -> Divergence? {
        let divergence = ledger.note(hash, of: shard, from: node)
        if ledger.isBacked(own, of: shard, at: hash.offset) {
            agreedAt[shard] = max(agreedAt[shard] ?? 0, hash.offset)
        }
        guard let divergence, open[shard] == nil, restsUntil[shard] ?? .min <= now else { return nil }
        open[shard] = (hash.offset, now)
        return divergence
    }

    /// It is gone, or makes its state anew: what it said of the one before counts no more.
    package mutating func forget(_ node: NodeID, shard: ShardID? = nil) { ledger.forget(node, shard: shard) }

    /// - Parameter replicas: by shard, those that fold it now.
    package mutating func judge(at now: Int64, replicas: (ShardID) -> [NodeID]) -> [Verdict] {
        var verdicts: [Verdict] = []
        for (shard, place) in open.sorted(by: { $0.key < $1.key }) {
            guard let divergence = ledger.divergence(of: shard, at: place.offset) else {
                open[shard] = nil
                continue
            }
            let isLate = now - place.since >= Self.patience
            guard let verdict = verdict(on: divergence, among: replicas(shard), isLate) else { continue }
            verdicts.append(verdict)
            open[shard] = nil
            restsUntil[shard] = now + Self.rest
            for node in verdict.rebuilding { ledger.forget(node, shard: shard) }
        }
        return verdicts
    }

    private func verdict(on divergence: Divergence, among replicas: [NodeID], _ isLate: Bool) -> Verdict? {
        let said = divergence.hashes
        let voters = Set(replicas).union(said.map(\.node))
        let counts = Dictionary(grouping: said, by: \.hash).mapValues(\.count)
        let backed = counts.first { $0.value * 2 > voters.count }?.key
        guard backed != nil || isLate || voters.count == said.count else { return nil }
        let first = Rendezvous.order(said.map(\.node), for: divergence.shard).first
        guard let right = backed ?? said.first(where: { $0.node == first })?.hash else { return nil }
        return Verdict(
            divergence: divergence, isByMajority: backed != nil,
            trusted: said.filter { $0.hash == right }.map(\.node),
            rebuilding: said.filter { $0.hash != right }.map(\.node), agreedAt: agreedAt[divergence.shard])
    }
}
