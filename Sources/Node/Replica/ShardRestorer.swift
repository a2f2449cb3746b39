import Replication
import struct Sharding.NodeID
import Telemetry
import Threads

/// A shard as it was restored. Handed over once, from the thread that made it to the one that folds it.
struct RestoredShard: @unchecked Sendable {
    // `@unchecked`: nobody else has the shard, whose streams are objects.
    let shard: Shard
    /// Of the log, when it was restored.
    let end: Offset
    /// The state that was here is not trusted.
    let isRepaired: Bool
}

/// Restores shards on threads of its own, so that those which are live already do not wait: from a peer that has the
/// shard live; else from the newest intact snapshot, the node's own or one that leaders keep for all.
final class ShardRestorer: Sendable {
    struct Environment: Sendable {
        let log: any PartitionedLog
        let snapshots: any SnapshotStore
        /// What leaders keep for all nodes.
        var sharedSnapshots: (any SnapshotStore)?
        let tracks: TrackTable
        let journal: Log
        /// A shard's state as a live peer has it, one of those named if any are, or `nil`. May block for some seconds.
        let peerState: (@Sendable (PartitionID, [NodeID]?) -> [UInt8]?)?
        var variant: FaultVariant?
    }

    private struct State {
        var waiting: [(partition: PartitionID, distrust: Distrust?)] = []
        var ends = false
    }

    private let environment: Environment
    private let state = Monitor(State())
    private static let retryInterval = Duration.milliseconds(500)

    init(_ environment: Environment) { self.environment = environment }

    var hasPeers: Bool { environment.peerState != nil }

    /// - Parameter distrust: the state that was here is wrong, and so may be the newest snapshots of it.
    func restore(_ partition: PartitionID, _ distrust: Distrust? = nil) {
        state.update { $0.waiting.append((partition, distrust)) }
    }

    func stop() { state.update { $0.ends = true } }

    /// The life of a thread; there may be several.
    /// - Parameter done: takes each shard, or why there is none and never will be.
    func run(_ done: (PartitionID, Result<RestoredShard, LogError>) -> Void) {
        while let (partition, distrust) = next() {
            do throws(LogError) {
                done(partition, .success(try restored(partition, distrust)))
            } catch {
                guard error.isWorthRetrying else {
                    done(partition, .failure(error))
                    continue
                }
                environment.journal.error(
                    "shard not restored, trying again", [.partition: "\(partition)", .reason: "\(error)"])
                state.when({ $0.ends }, orAfter: ShardRestorer.retryInterval) {
                    $0.waiting.append((partition, distrust))
                }
            }
        }
    }

    private func next() -> (partition: PartitionID, distrust: Distrust?)? {
        state.when({ !$0.waiting.isEmpty || $0.ends }) { state in
            state.ends || state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
    }

    private func restored(_ partition: PartitionID, _ distrust: Distrust?) throws(LogError) -> RestoredShard {
        let log = environment.log
        let lineage = try log.lineage(of: partition)
        let (earliest, end) = try log.extent(of: partition)
        // Retention has removed the first record: who was there before tells what it was.
        let isUnknown = lineage == nil && earliest > .zero
        let expectation = Snapshot.Expectation(
            engineVersion: Shard.engineVersion(environment.tracks), lineage: lineage, isLineageUnknown: isUnknown)
        var found = peerShard(partition, expectation, distrust?.trusted)
        if found == nil {
            found = try storedShard(partition, expectation, notBeyond: min(end, distrust?.agreedAt ?? end))
        }
        var shard = found ?? Shard(partition: partition, tracks: environment.tracks)
        if isUnknown {
            if let known = shard.lineage { log.adopt(lineage: known, of: partition) }
            shard.lineage = try log.lineageOfRemains(of: partition)
        } else {
            shard.lineage = lineage
        }
        if distrust != nil, shard.next < earliest {
            throw .unavailable(reason: "no replica that is trusted gives its state, and the log no longer has it all")
        }
        if shard.next < earliest {
            tellGone(partition, from: shard.next, to: earliest, in: environment.journal)
            shard.skip(to: earliest)
        }
        if distrust != nil {
            environment.journal.notice(
                "shard made anew", [.partition: "\(partition)", .offset: "\(shard.next)"])
        }
        if environment.variant == .skipsAfterRestore, found != nil, shard.next < end { shard.skip(to: shard.next + 1) }
        return RestoredShard(shard: shard, end: end, isRepaired: distrust != nil)
    }

    /// The newest that is stored anywhere and intact.
    private func storedShard(
        _ partition: PartitionID, _ expectation: Snapshot.Expectation, notBeyond end: Offset
    ) throws(LogError) -> Shard? {
        let own = try newest(in: environment.snapshots, partition, expectation) { $0.next <= end }
        guard let shared = environment.sharedSnapshots else { return own }
        do throws(LogError) {
            let found = try newest(in: shared, partition, expectation) {
                $0.next <= end && $0.next > own?.next ?? .zero
            }
            return found ?? own
        } catch {
            // The own one is older at worst, and the log has the rest.
            environment.journal.error(
                "the snapshot topic cannot be read", [.partition: "\(partition)", .reason: "\(error)"])
            return own
        }
    }

    private func newest(
        in store: any SnapshotStore, _ partition: PartitionID, _ expectation: Snapshot.Expectation,
        where isWanted: (Shard) -> Bool
    ) throws(LogError) -> Shard? {
        let loader = ShardLoader(
            store: store, partition: partition, tracks: environment.tracks, lineage: expectation.lineage,
            isLineageUnknown: expectation.isLineageUnknown)
        return try loader.newest(where: isWanted) { offset, reason in
            environment.journal.error(
                "snapshot skipped", [.partition: "\(partition)", .offset: "\(offset)", .reason: "\(reason)"])
        }
    }

    private func peerShard(
        _ partition: PartitionID, _ expectation: Snapshot.Expectation, _ trusted: [NodeID]?
    ) -> Shard? {
        let mayExist = expectation.lineage != nil || expectation.isLineageUnknown
        guard mayExist, let bytes = environment.peerState?(partition, trusted) else { return nil }
        do throws(SnapshotError) {
            let snapshot = try Snapshot.decode(bytes, expecting: expectation)
            return try Shard(snapshot, partition: partition, tracks: environment.tracks)
        } catch {
            environment.journal.error("a peer's state skipped", [.partition: "\(partition)", .reason: "\(error)"])
            return nil
        }
    }
}

/// Records are gone that no snapshot covers: say how many, and go on.
func tellGone(_ partition: PartitionID, from next: Offset, to earliest: Offset, in journal: Log) {
    journal.error(
        "records are gone before they were applied",
        [.partition: "\(partition)", .records: "\(earliest.value - next.value)", .offset: "\(earliest)"])
}

extension LogError {
    /// Whether the same may work later, without anybody's doing here.
    var isWorthRetrying: Bool {
        if case .unavailable = self { true } else { false }
    }
}
