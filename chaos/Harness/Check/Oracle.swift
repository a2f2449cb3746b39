import Delivery
import Kafka
import Replication
import Telemetry
import Threads

/// Folds the log alone, on a thread of its own, while a scenario runs: what it says is the truth.
///
/// It follows live, for kafka-sim forgets all but the newest 5 MiB of a partition.
final class Oracle: Sendable {
    private struct State {
        var truth = Truth()
        var next: [Int: Int64] = [:]
        var failure: String?
        /// Somebody waits for the hashes, which are not made with every batch.
        var wantsHashes = false
        var ends = false
    }

    private let log: KafkaLog
    private let reader: any LogReader
    private let run: UInt32
    private let state = Monitor(State())
    private let worker: Monitor<Worker?>

    /// - Parameter run: whose records are told by their numbers.
    /// - Throws: what is in the way, and what to do about it.
    init(kafka: String, topic: String, run: UInt32) throws {
        self.run = run
        log = try KafkaLog(KafkaConfiguration(brokers: kafka), topic: topic)
        reader = try log.makeReader()
        worker = Monitor(nil)
        for number in 0..<log.partitionCount { try reader.assign(PartitionID(number), from: .zero) }
        let thread = try Worker("oracle") { [self] in fold() }
        worker.withLock { $0 = thread }
    }

    /// For those who write to the log beside the nodes.
    var topic: KafkaLog { log }

    var failure: String? { state.withLock { $0.failure } }
    var points: Int { state.withLock { $0.truth.points } }

    /// Waits until all that is in the log is folded.
    func truth(within limit: Duration) async throws -> Truth {
        let deadline = ContinuousClock.now + limit
        while true {
            if let failure { throw ChaosError("the oracle: \(failure)") }
            let ends = ends()
            let isThere = state.withLock { state in
                let isThere = !ends.isEmpty && ends.allSatisfy { state.next[$0.key, default: 0] >= $0.value }
                if isThere, state.truth.shards.isEmpty { state.wantsHashes = true }
                return isThere && !state.truth.shards.isEmpty
            }
            if isThere { return state.withLock { $0.truth } }
            guard ContinuousClock.now < deadline else { throw ChaosError("the oracle does not reach the log's end") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Where the log ends, by partition; empty when a broker could not be asked, as after its leaders moved.
    private func ends() -> [Int: Int64] {
        var ends: [Int: Int64] = [:]
        for number in 0..<log.partitionCount {
            guard let end = try? log.endOffset(of: PartitionID(number)) else { return [:] }
            ends[number] = end.value
        }
        return ends
    }

    func stop() {
        state.update { $0.ends = true }
        reader.wake()
        worker.withLock { worker in
            worker?.join()
            worker = nil
        }
        reader.close()
        log.close()
    }

    // MARK: The thread

    private func fold() {
        var fold = LogFold(partitionCount: log.partitionCount, run: run)
        var batch = LogBatch()
        while !state.withLock({ $0.ends }) {
            do throws(LogError) {
                switch try reader.next(maxBytes: 1 << 20, waitingUpTo: .milliseconds(100), into: &batch) {
                case .records(let partition):
                    state.withLock { state in
                        fold.apply(batch, of: partition, to: &state.truth)
                        state.next[partition.number] = fold.next(partition)
                        state.truth.shards.removeAll()
                    }
                case .truncated(let partition, let asked, _):
                    return fail("kafka-sim dropped records of partition \(partition) from \(asked) on; lower --rate")
                case .shortened(let partition, _, _): return fail("partition \(partition) was cut")
                case .end, .idle: break
                }
                state.withLock { state in
                    guard state.wantsHashes else { return }
                    state.wantsHashes = false
                    state.truth.shards = fold.marks
                }
            } catch {
                guard case .unavailable = error else { return fail("\(error)") }
            }
        }
    }

    private func fail(_ reason: String) { state.update { $0.failure = reason } }
}

/// The shards of a topic, folded as a node does.
private struct LogFold {
    private var shards: [Shard]
    private var scratches: [FoldScratch]
    private var names: [[String]]
    private let decoder = RecordDecoder()
    private let run: UInt32
    private var outputs = OutputBatch()

    init(partitionCount: Int, run: UInt32) {
        self.run = run
        shards = (0..<partitionCount).map { Shard(partition: PartitionID($0), tracks: .builtIn) }
        scratches = (0..<partitionCount).map { _ in FoldScratch() }
        names = Array(repeating: [], count: partitionCount)
    }

    func next(_ partition: PartitionID) -> Int64 { shards[partition.number].next.value }

    mutating func apply(_ batch: LogBatch, of partition: PartitionID, to truth: inout Truth) {
        let place = partition.number
        outputs.removeAll()
        shards[place].apply(batch, decoder: decoder, scratch: &scratches[place], into: &outputs)
        names[place] += outputs.newStreams.map { $0.id.description }
        outputs.bytes.withUnsafeBytes { bytes in
            for entry in outputs.entries {
                let json = UnsafeRawBufferPointer(rebasing: bytes[entry.start..<entry.start + entry.count])
                truth.take(entry, json, of: names[place][Int(entry.stream)], run: run)
            }
        }
    }

    /// Of all shards that ever had a record.
    var marks: [Int: Truth.ShardMark] {
        var marks: [Int: Truth.ShardMark] = [:]
        for shard in shards where shard.next > .zero {
            marks[shard.partition.number] = Truth.ShardMark(
                offset: shard.next.value, hash: Lineage(shard.stateHash).description)
        }
        return marks
    }
}

extension Truth {
    fileprivate mutating func take(
        _ entry: OutputBatch.Entry, _ json: UnsafeRawBufferPointer, of name: String, run: UInt32
    ) {
        let digest = Digest.of(json)
        switch entry.kind {
        case .point:
            streams[name, default: Stream()].points.append(digest)
            streams[name, default: Stream()].numbers.append(RecordNumber.read(json, of: run))
        case .insight: streams[name, default: Stream()].insights.append(.init(seq: entry.seq, digest: digest))
        case .alert: streams[name, default: Stream()].alerts.append(.init(seq: entry.seq, digest: digest))
        }
    }
}

/// Stands for the bytes of an output.
enum Digest {
    /// Never 0.
    static func of(_ json: UnsafeRawBufferPointer) -> UInt32 { UInt32(truncatingIfNeeded: StableHash.hash(json)) | 1 }
}

/// The harness cannot go on with a scenario.
package struct ChaosError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
