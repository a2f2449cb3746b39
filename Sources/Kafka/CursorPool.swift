import Replication
import Threads

/// A few consumers for reads anywhere. A read that goes on where another ended gets the one that stands there, with
/// what it has fetched ahead.
final class CursorPool: Sendable {
    private struct State {
        /// The one longest unused first.
        var free: [LogCursor] = []
        var count = 0
        var isClosed = false
    }

    private let configuration: KafkaConfiguration
    private let topic: String
    private let max: Int
    private let state = Monitor(State())

    init(_ configuration: KafkaConfiguration, topic: String, max: Int) {
        precondition(max > 0, "a pool of \(max) consumers would let nobody read")
        // What a cursor fetches ahead is lost when it is needed elsewhere.
        self.configuration = configuration.with("queued.max.messages.kbytes", "4096")
        self.topic = topic
        self.max = max
    }

    /// Waits while all are in use.
    func take(for partition: PartitionID, at offset: Offset) throws(LogError) -> LogCursor {
        let found = try state.when({ !$0.free.isEmpty || $0.count < max || $0.isClosed }) {
            (state) throws(LogError) in
            guard !state.isClosed else { throw .closed }
            if let index = state.free.firstIndex(where: { $0.isAt(partition, offset) }) {
                return state.free.remove(at: index) as LogCursor?
            }
            if state.count < max {
                state.count += 1
                return nil
            }
            let near = state.free.firstIndex { $0.place?.partition == partition }
            return state.free.remove(at: near ?? 0)
        }
        if let found { return found }
        do throws(KafkaError) { return LogCursor(try KafkaConsumer(configuration, topic: topic)) } catch {
            state.update { $0.count -= 1 }
            throw error.logError
        }
    }

    func put(_ cursor: LogCursor) { state.update { $0.free.append(cursor) } }

    /// Gives up one that failed.
    func discard(_ cursor: LogCursor) {
        cursor.close()
        state.update { $0.count -= 1 }
    }

    /// Waits for reads under way.
    func close() {
        state.update { $0.isClosed = true }
        let all = state.when({ $0.free.count == $0.count }) { state in
            defer { (state.free, state.count) = ([], 0) }
            return state.free
        }
        for cursor in all { cursor.close() }
    }
}
