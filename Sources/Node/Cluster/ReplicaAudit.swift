import Replication
import Sharding
import Telemetry

/// Compares the hashes of this node's replicas with what others say of theirs, and has those made anew that are wrong.
struct ReplicaAudit {
    struct Counts: Sendable, Equatable {
        var divergences: UInt64 = 0
        var rebuilds: UInt64 = 0
        /// By shard the newest.
        var newest: [ShardID: Divergence] = [:]
    }

    private let own: NodeID
    private let journal: Log
    private let rebuild: @Sendable (PartitionID, Distrust) -> Void
    private var audit: StateAudit
    private(set) var counts = Counts()

    init(own: NodeID, journal: Log, rebuild: @escaping @Sendable (PartitionID, Distrust) -> Void) {
        self.own = own
        self.journal = journal
        self.rebuild = rebuild
        audit = StateAudit(own: own)
    }

    mutating func look(_ reports: [HostedReport], _ nodes: [LiveNode], _ map: ShardMap, at now: Timestamp) {
        for report in reports where report.state == .live {
            for hash in report.hashes { hear(hash, ShardID(report.partition.number), own, now) }
        }
        for node in nodes where node.id != own {
            for report in node.table.shards {
                guard report.phase == .live else {
                    audit.forget(node.id, shard: report.shard)
                    continue
                }
                if let hash = report.hash { hear(hash, report.shard, node.id, now) }
            }
        }
        let verdicts = audit.judge(at: now.microseconds) { shard in map[shard].filter(\.isLive).map(\.node) }
        for verdict in verdicts { carryOut(verdict) }
    }

    private mutating func hear(_ hash: StateHash, _ shard: ShardID, _ node: NodeID, _ now: Timestamp) {
        guard let found = audit.hear(hash, of: shard, from: node, at: now.microseconds) else { return }
        counts.divergences += 1
        counts.newest[shard] = found
        journal.error(
            "replicas have diverged",
            [.partition: "\(shard)", .offset: "\(found.offset)", .hash: found.said, .reason: "\(found)"])
    }

    private mutating func carryOut(_ verdict: StateAudit.Verdict) {
        let divergence = verdict.divergence
        let names = verdict.rebuilding.map(\.name).joined(separator: ",")
        if verdict.isByMajority {
            journal.error(
                "a replica is outvoted and made anew",
                [.partition: "\(divergence.shard)", .offset: "\(divergence.offset)", .peer: names])
        } else {
            journal.error(
                "no majority says which replica is right: the leader stays, the other is made anew from it",
                [.partition: "\(divergence.shard)", .offset: "\(divergence.offset)", .peer: names])
        }
        guard verdict.rebuilding.contains(own) else { return }
        counts.rebuilds += 1
        rebuild(
            PartitionID(divergence.shard.number),
            Distrust(agreedAt: Offset(Int64(clamping: verdict.agreedAt ?? 0)), trusted: verdict.trusted))
    }
}

extension Divergence {
    /// `a:9f0c b:1234`
    fileprivate var said: String { hashes.map { "\($0.node):\(String($0.hash, radix: 16))" }.joined(separator: " ") }
}
