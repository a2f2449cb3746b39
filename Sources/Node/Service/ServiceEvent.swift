import Delivery
import Replication
import struct Sharding.NodeID
import Storage
import Telemetry
import Threads
import Web

/// What other threads tell the thread that serves clients.
enum ServiceEvent: Sendable {
    /// A shard as it is at a source; its outputs come next.
    case restored(OutputSource, RestoredState)
    case outputs(OutputSource, shard: Int, lineage: UInt64, OutputBatch)
    /// The replica here does not fold this shard any more.
    case released(shard: Int)
    /// All shards have caught up: clients may come.
    case live
    /// The replica cannot go on: the node ends, to be started again.
    case failed
    /// A peer does not give this shard, or (`nil`) cannot be reached.
    case peerLost(NodeID, shard: Int?)
    case cluster(ClusterView)
    /// What was offered to the log under this number is durable, or is not.
    case appended(UInt64, Result<[Offset], LogError>)
    case replayed(reader: UInt64, ReplayChunk)
    /// The answer to a request that another thread looked into.
    case answer(UInt64, HTTPResponse)
}

/// A shard as a source gives it.
struct RestoredState: Sendable {
    let shard: Int
    /// `nil` while the partition never had a record.
    let lineage: UInt64?
    /// In the order of their numbers, which are the same on all replicas.
    let streams: [RestoredStream]
    /// Everything in the log is applied.
    let isLive: Bool
    /// What the streams have said since, for clients that are a little behind.
    var tail = OutputBatch()
}

/// Where other threads leave what they tell. Bounded: who would fill it waits.
///
/// Only outputs count, for they come in bulk; answers are as many as there were questions.
final class ServiceInbox: Sendable {
    private struct State {
        var events: [ServiceEvent] = []
        var outputBytes = 0
        var spare: [OutputBatch] = []
        var isClosed = false
    }

    private let state = Monitor(State())
    private let wake: @Sendable () -> Void
    private static let outputBytesMax = 32 << 20

    /// - Parameter wake: makes the serving thread call `take` soon.
    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    func post(_ event: ServiceEvent) {
        let isFirst = state.withLock { state in
            state.events.append(event)
            return state.events.count == 1
        }
        if isFirst { wake() }
    }

    /// Leaves a shard's outputs and takes an empty batch for the next; waits while too much is waiting.
    func post(_ outputs: OutputBatch, from source: OutputSource, shard: Int, lineage: UInt64) -> OutputBatch {
        let (isFirst, spare) = state.when({ $0.outputBytes < ServiceInbox.outputBytesMax || $0.isClosed }) { state in
            state.outputBytes += outputs.bytes.count
            state.events.append(.outputs(source, shard: shard, lineage: lineage, outputs))
            return (state.events.count == 1, state.spare.popLast())
        }
        if isFirst { wake() }
        return spare ?? OutputBatch()
    }

    func take() -> [ServiceEvent] {
        state.update { state in
            defer {
                state.events = []
                state.outputBytes = 0
            }
            return state.events
        }
    }

    /// Gives a batch back to be filled again.
    func recycle(_ outputs: consuming OutputBatch) {
        outputs.removeAll()
        let empty = outputs
        state.withLock { if $0.spare.count < 8 { $0.spare.append(empty) } }
    }

    /// Nobody takes any more: nobody waits any more.
    func close() { state.update { $0.isClosed = true } }
}
