import Replication
import Threads

/// Read connections, as many as there are readers at one time.
final class ReaderPool: Sendable {
    private struct State {
        var idle: [RowReader] = []
        var used = 0
        var isClosed = false
    }
    private let path: String
    private let state = Monitor(State())

    init(path: String) { self.path = path }

    func use(_ body: (RowReader) throws(LogError) -> Void) throws(LogError) {
        let idle = try state.withLock { (state) throws(LogError) in
            guard !state.isClosed else { throw .closed }
            state.used += 1
            return state.idle.popLast()
        }
        var reader = idle
        defer {
            state.update { state in
                state.used -= 1
                if let reader { state.idle.append(reader) }
            }
        }
        let opened = if let idle { idle } else { try RowReader(path) }
        reader = opened
        try body(opened)
    }

    /// Waits for those that read.
    func close() {
        state.withLock { $0.isClosed = true }
        state.when({ $0.used == 0 }) { $0.idle.removeAll() }
    }
}
