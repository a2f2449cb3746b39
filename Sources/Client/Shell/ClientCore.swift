import Synchronization

/// What the sequences and publishers of one client share. It lives as long as any of them.
final class ClientCore: Sendable {
    let urls: [String]
    let settings: ClientSettings
    let transport: any Transport
    /// Where time counts from.
    let epoch = ContinuousClock.now

    private struct State {
        var isClosed = false
        var lastMember = 0
        /// How to close each session that runs.
        var members: [Int: @Sendable () -> Void] = [:]
        var lastObserver = 0
        var observers: [Int: AsyncStream<ConnectionEvent>.Continuation] = [:]
    }
    private let state = Mutex(State())

    init(urls: [String], settings: ClientSettings, transport: any Transport) {
        self.urls = urls
        self.settings = settings
        self.transport = transport
    }

    deinit {
        for observer in state.withLock({ $0.observers.values.map { $0 } }) { observer.finish() }
        transport.shutdown()
    }

    /// - Returns: a number for `leave`; `nil` when the client is closed.
    func join(_ close: @escaping @Sendable () -> Void) -> Int? {
        state.withLock { state in
            guard !state.isClosed else { return nil }
            state.lastMember += 1
            state.members[state.lastMember] = close
            return state.lastMember
        }
    }

    func leave(_ member: Int) { state.withLock { $0.members[member] = nil } }

    func close() {
        let (members, observers) = state.withLock { state in
            defer { (state.members, state.observers) = ([:], [:]) }
            state.isClosed = true
            return (state.members.sorted { $0.key < $1.key }.map(\.value), state.observers.map(\.value))
        }
        for close in members { close() }
        for observer in observers { observer.finish() }
        transport.shutdown()
    }

    // MARK: Status

    func observe() -> AsyncStream<ConnectionEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ConnectionEvent.self, bufferingPolicy: .bufferingNewest(256))
        let number = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.lastObserver += 1
            state.observers[state.lastObserver] = continuation
            return state.lastObserver
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.observers[number] = nil } }
        return stream
    }

    /// - Parameter purpose: whose connection it is.
    func report(_ report: ConnectionReport, of purpose: String) {
        let change: ConnectionEvent.Change =
            switch report {
            case .connected(.listed(let place)): .connected(url: urls[place])
            case .connected(.told(let url)): .connected(url: url)
            case .disconnected(let reason): .disconnected(reason: reason)
            case .retrying(let after): .retrying(after: after)
            case .gap(let stream, let after, let before): .gap(stream: stream, after: after, before: before)
            }
        let observers = state.withLock { $0.observers.map(\.value) }
        for observer in observers { observer.yield(ConnectionEvent(purpose: purpose, change: change)) }
    }
}
