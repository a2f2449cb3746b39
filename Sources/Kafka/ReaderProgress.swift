import Replication
import Synchronization

/// What others than its owner may know of a reader, and tell it.
final class ReaderProgress: Sendable {
    private struct State {
        var consumer: KafkaConsumer?
        var positions: [PartitionID: Offset] = [:]
        /// How often the queue was emptied and asked again.
        var takes = 0
        var isStuck = false
        var isClosed = false
    }

    private let state = Mutex(State())

    // For the reader.

    var isStuck: Bool { state.withLock { $0.isStuck } }
    func checkOpen() throws(LogError) {
        if state.withLock({ $0.isClosed }) { throw .closed }
    }
    func use(_ consumer: KafkaConsumer) {
        state.withLock { state in
            state.consumer = consumer
            state.isStuck = false
        }
    }
    func note(_ partition: PartitionID, _ offset: Offset?) { state.withLock { $0.positions[partition] = offset } }
    func noteTake() { state.withLock { $0.takes += 1 } }

    // For others.

    var isClosed: Bool { state.withLock { $0.isClosed } }
    var health: KafkaHealth? { state.withLock { $0.consumer }?.health }
    var look: (positions: [PartitionID: Offset], takes: Int) { state.withLock { ($0.positions, $0.takes) } }
    func wake() { state.withLock { $0.consumer }?.wake() }
    func setStuck() {
        state.withLock { $0.isStuck = true }
        wake()
    }
    func close() {
        let consumer = state.withLock { state in
            state.isClosed = true
            return state.consumer.take()
        }
        consumer?.wake()
    }
}
