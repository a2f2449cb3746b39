import Synchronization

/// What a shell guards: a session, and what of it waits for the program.
protocol SessionCore: Sendable {
    var deadline: Moment? { get }
    mutating func handle(
        _ event: LinkEvent, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [ShellAction]
}

enum ShellAction: Sendable {
    case link(Link.Effect)
    /// Resumes a task that waits.
    case call(@Sendable () -> Void)
}

/// Runs a session: feeds it what connections and the clock say, and carries out what it wants.
///
/// The core changes under a lock. Actions are carried out outside of it and yet in order: whoever finds nobody at it
/// does it until none is left, also those that others add meanwhile.
final class SessionShell<Core: SessionCore>: Sendable {
    private struct State {
        var core: Core
        var random = SystemRandomNumberGenerator()
        var pending: [ShellAction] = []
        var isPerforming = false
        /// Two while a node hands over to another; `nil` until the transport has given one.
        var sockets: [ConnectionID: (any TransportSocket)?] = [:]
        /// When the timer will go off, and the task that waits for it.
        var armed: Moment?
        var timer: Task<Void, Never>?
    }

    private let state: Mutex<State>
    private let reader = Mutex(MessageReader())
    private let transport: any Transport
    private let epoch: ContinuousClock.Instant
    private let report: @Sendable (ConnectionReport) -> Void

    /// - Parameter epoch: where `Moment`s count from.
    init(
        _ core: Core, over transport: any Transport, epoch: ContinuousClock.Instant,
        report: @escaping @Sendable (ConnectionReport) -> Void
    ) {
        state = Mutex(State(core: core))
        self.transport = transport
        self.epoch = epoch
        self.report = report
    }

    func start() { step { core, now, random in core.handle(.start, at: now, using: &random) } }
    func close() { step { core, now, random in core.handle(.close, at: now, using: &random) } }

    /// Looks at the core, or changes what needs no action.
    func withCore<Result>(_ body: (inout Core) -> sending Result) -> sending Result {
        state.withLock { body(&$0.core) }
    }

    /// Changes the core and carries out what follows.
    func step(_ body: (inout Core, Moment, inout SystemRandomNumberGenerator) -> [ShellAction]) {
        step { core, now, random in (body(&core, now, &random), ()) }
    }

    func step<Result: Sendable>(
        _ body: (inout Core, Moment, inout SystemRandomNumberGenerator) -> ([ShellAction], Result)
    ) -> Result {
        let now = ContinuousClock.now - epoch
        let (result, isMine) = state.withLock { state in
            let (actions, result) = body(&state.core, now, &state.random)
            state.pending += actions
            rearm(&state)
            let isMine = !state.isPerforming && !state.pending.isEmpty
            if isMine { state.isPerforming = true }
            return (result, isMine)
        }
        if isMine { performPending() }
        return result
    }

    // MARK: Actions

    private func performPending() {
        while true {
            let actions = state.withLock { state in
                defer { state.pending = [] }
                state.isPerforming = !state.pending.isEmpty
                return state.pending
            }
            guard !actions.isEmpty else { return }
            for action in actions {
                switch action {
                case .link(let effect): perform(effect)
                case .call(let body): body()
                }
            }
        }
    }

    private func perform(_ effect: Link.Effect) {
        switch effect {
        case .connect(let id, let address): connect(id, to: address)
        case .disconnect(let id, let code, let reason):
            socket(id)?.close(code: code, reason: reason)
            forget(id)
        case .send(let id, let text): socket(id)?.send(text)
        case .setReading(let id, let isReading): socket(id)?.setReading(isReading)
        case .report(let event): report(event)
        }
    }

    private func connect(_ id: ConnectionID, to address: Destination) {
        _ = state.withLock { $0.sockets.updateValue(nil, forKey: id) }
        guard let socket = transport.connect(id, to: address, for: self) else {
            return lost(id, .broken(reason: "not an address of a node: \(address)"))
        }
        state.withLock { state in
            // It may be lost already.
            if state.sockets.keys.contains(id) { state.sockets[id] = .some(socket) }
        }
    }

    private func socket(_ id: ConnectionID) -> (any TransportSocket)? { state.withLock { $0.sockets[id] ?? nil } }

    private func forget(_ id: ConnectionID) { _ = state.withLock { $0.sockets.removeValue(forKey: id) } }

    // MARK: Time

    /// One task waits for the earliest deadline. A deadline that moves away is looked at when the old one is reached, so
    /// that a connection that is talking costs nothing here.
    private func rearm(_ state: inout State) {
        guard let deadline = state.core.deadline else {
            state.timer?.cancel()
            (state.timer, state.armed) = (nil, nil)
            return
        }
        if let armed = state.armed, armed <= deadline { return }
        state.timer?.cancel()
        state.armed = deadline
        let instant = epoch + deadline
        state.timer = Task { [weak self] in
            guard (try? await ContinuousClock().sleep(until: instant)) != nil else { return }  // Cancelled: superseded.
            self?.reached(deadline)
        }
    }

    private func reached(_ deadline: Moment) {
        state.withLock { state in
            if state.armed == deadline { (state.timer, state.armed) = (nil, nil) }
        }
        step { core, now, random in core.handle(.wake, at: now, using: &random) }
    }
}

extension SessionShell: TransportReceiver {
    func opened(_ id: ConnectionID) {
        step { core, now, random in core.handle(.opened(id), at: now, using: &random) }
    }

    func received(_ id: ConnectionID, _ message: UnsafeRawBufferPointer) {
        let message = Array(message)
        let event = reader.withLock { reader in
            do throws(MessageError) {
                return LinkEvent.received(id, try reader.read(message))
            } catch {
                return LinkEvent.garbled(id, error)
            }
        }
        step { core, now, random in core.handle(event, at: now, using: &random) }
    }

    func lost(_ id: ConnectionID, _ loss: Loss) {
        forget(id)
        step { core, now, random in core.handle(.lost(id, loss), at: now, using: &random) }
    }
}
