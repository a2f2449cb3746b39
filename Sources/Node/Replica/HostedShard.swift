import Replication
import struct Sharding.StateHash
import Telemetry

/// One shard that this node folds, and how far that has come.
struct HostedShard {
    /// restoring → catching up → live. Ends anywhere, when the shard is released.
    enum State: String, Sendable {
        case restoring
        case catchingUp = "catching_up"
        /// It has applied everything that was in the log when it looked.
        case live
    }

    var shard: Shard
    var scratch = FoldScratch()
    var due = SnapshotPolicy.Progress(now: .monotonic)
    /// When the shard last moved, and whether its open points were asked to be closed since.
    var moved: (at: Timestamp, flushRequested: Bool) = (.monotonic, true)
    var state = State.catchingUp
    private var side = PendingSideRecords()
    /// Of the log, when last looked.
    var end: Offset
    /// While catching up after a standstill: where the log ended then. What ended before it is no news.
    var goal: Offset?
    /// Peers are further and nothing comes here: it is catching up until it is not held back any more.
    var isHeldBack = false
    var begunAt = Timestamp.monotonic
    /// Log records applied here.
    private(set) var applied = 0
    /// The newest few, for comparison with other replicas; `nil` where there are none.
    private var hashes: [StateHash]?

    var partition: PartitionID { shard.partition }

    init(_ shard: Shard, end: Offset, hasPeers: Bool) {
        self.shard = shard
        self.end = end
        hashes = hasPeers ? [] : nil
    }

    mutating func apply(
        _ batch: borrowing LogBatch, _ decoder: RecordDecoder, into outputs: inout OutputBatch,
        beside sideOutputs: SideOutputs?
    ) {
        if hashes == nil {
            shard.apply(batch, decoder: decoder, scratch: &scratch, into: &outputs)
        } else {
            applyHashing(batch, decoder, &outputs)
        }
        sideOutputs?.note(scratch, of: batch, outputs: outputs, shard, in: &side)
        settle(sideOutputs)
        due.records += batch.entries.count
        applied += batch.entries.count
        moved = (.monotonic, false)
    }

    private mutating func applyHashing(
        _ batch: borrowing LogBatch, _ decoder: RecordDecoder, _ outputs: inout OutputBatch
    ) {
        var hashed: [StateHash] = []
        shard.apply(
            batch, decoder: decoder, scratch: &scratch, hashingEvery: Int64(StateHash.spacing), into: &outputs
        ) { hashed.append(StateHash(offset: UInt64($0.value), hash: $1)) }
        guard !hashed.isEmpty else { return }
        hashes = Array(((hashes ?? []) + hashed).suffix(HostedShard.hashesMax))
    }

    private static let hashesMax = 16

    /// Writes dead letters and the like, if that falls to this replica.
    mutating func settle(_ sideOutputs: SideOutputs?) {
        guard !side.isEmpty else { return }
        sideOutputs?.settle(&side, of: partition)
    }

    var report: HostedReport {
        HostedReport(
            partition: partition, state: state, next: shard.next, lag: max(0, end.value - shard.next.value),
            lineage: shard.lineage, hashes: hashes ?? [])
    }
}

/// What others are told of a hosted shard.
struct HostedReport: Sendable, Equatable {
    let partition: PartitionID
    let state: HostedShard.State
    /// The offset of the next record to apply.
    let next: Offset
    /// Records in the log that are not applied yet.
    let lag: Int64
    let lineage: UInt64?
    /// The newest last.
    var hashes: [StateHash] = []
}

extension HostedReport {
    /// A shard of which nothing is here yet.
    init(restoring partition: PartitionID) {
        self.init(partition: partition, state: .restoring, next: .zero, lag: 0, lineage: nil)
    }
}
