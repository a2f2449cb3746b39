import Synchronization

/// Who wants to know that a log has grown. Each is called after an append is visible, on the thread that appended, and
/// must be quick.
package final class AppendObservers: Sendable {
    private struct State {
        var lastID = 0
        var observers: [(id: Int, observer: @Sendable () -> Bool)] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// - Parameter observer: answers whether it wants to be called again.
    package func add(_ observer: @escaping @Sendable () -> Bool) {
        state.withLock { state in
            state.lastID += 1
            state.observers.append((state.lastID, observer))
        }
    }

    package func notify() {
        let gone = state.withLock { $0.observers }.filter { !$0.observer() }.map(\.id)
        guard !gone.isEmpty else { return }
        state.withLock { $0.observers.removeAll { gone.contains($0.id) } }
    }
}
