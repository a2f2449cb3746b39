import Replication
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
    let begunAt = Timestamp.monotonic
    /// Log records applied here.
    private(set) var applied = 0

    var partition: PartitionID { shard.partition }

    init(_ shard: Shard, end: Offset) {
        self.shard = shard
        self.end = end
    }

    mutating func apply(
        _ batch: borrowing LogBatch, _ decoder: RecordDecoder, into outputs: inout OutputBatch,
        beside sideOutputs: SideOutputs?
    ) {
        shard.apply(batch, decoder: decoder, scratch: &scratch, into: &outputs)
        sideOutputs?.note(scratch, of: batch, outputs: outputs, shard, in: &side)
        settle(sideOutputs)
        due.records += batch.entries.count
        applied += batch.entries.count
        moved = (.monotonic, false)
    }

    /// Writes dead letters and the like, if that falls to this replica.
    mutating func settle(_ sideOutputs: SideOutputs?) {
        guard !side.isEmpty else { return }
        sideOutputs?.settle(&side, of: partition)
    }

    var report: HostedReport {
        HostedReport(
            partition: partition, state: state, next: shard.next, lag: max(0, end.value - shard.next.value),
            lineage: shard.lineage)
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
}

extension HostedReport {
    /// A shard of which nothing is here yet.
    init(restoring partition: PartitionID) {
        self.init(partition: partition, state: .restoring, next: .zero, lag: 0, lineage: nil)
    }
}
