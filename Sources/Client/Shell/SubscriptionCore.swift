import Delivery
import Telemetry

/// A subscription and the updates that wait for the program, in a bounded buffer.
///
/// When it is full, reading stops: the node sees a slow reader, and keeps what is to come in its log.
struct SubscriptionCore: SessionCore {
    typealias Waiter = CheckedContinuation<Next, Never>

    /// What there is for the program.
    enum Next: Sendable {
        case update(Update)
        /// Nothing yet.
        case nothing
        case end(SlipstreamError?)
    }

    private var session: SubscriptionSession
    private let bufferBytes: Int
    private var buffer = Queue<Update>()
    private var bufferedBytes = 0
    private var isPaused = false
    private var ending: Next?
    /// Handed to the program, and not yet finished with.
    private var taken: Update?
    private var waiter: Waiter?
    private var isCancelled = false

    init(_ session: SubscriptionSession, bufferBytes: Int) {
        self.session = session
        self.bufferBytes = bufferBytes
    }

    var deadline: Moment? { session.deadline }
    var handled: [StreamID: Position] { session.handled }
    var hasEnded: Bool { ending != nil }

    mutating func handle(
        _ event: LinkEvent, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [ShellAction] {
        var actions: [ShellAction] = []
        for effect in session.handle(event, at: now, using: &random) {
            switch effect {
            case .link(let effect): actions.append(.link(effect))
            case .output(.deliver(let update)):
                buffer.append(update)
                bufferedBytes += update.byteCount + Self.overhead
            case .output(.end(let error)):
                ending = .end(error)
                if case .close = event { buffer.removeAll() }
            }
        }
        return actions + hand(at: now) + throttle()
    }

    /// The program asks for the next update, so it has finished with the last one.
    mutating func next(at now: Moment) -> ([ShellAction], Next) {
        if let taken { session.finish(taken) }
        taken = nil
        isCancelled = false
        return take(at: now)
    }

    /// The program has finished with this point of the update it has.
    mutating func finish(point seq: UInt64) {
        guard let taken else { return }
        session.finish(point: seq, of: taken.streamID)
    }

    mutating func wait(_ waiter: Waiter, at now: Moment) -> [ShellAction] {
        self.waiter = waiter
        guard isCancelled else { return hand(at: now) }
        return cancel()
    }

    /// The waiting task is cancelled.
    mutating func cancel() -> [ShellAction] {
        isCancelled = true
        guard let waiter else { return [] }
        self.waiter = nil
        return [.call { waiter.resume(returning: .end(nil)) }]
    }

    // MARK: The buffer

    /// Memory an update takes beside its bytes.
    private static let overhead = 256

    private mutating func take(at now: Moment) -> ([ShellAction], Next) {
        guard let update = buffer.popFirst() else { return ([], ending ?? .nothing) }
        bufferedBytes -= update.byteCount + Self.overhead
        taken = update
        guard isPaused, bufferedBytes <= bufferBytes / 2 else { return ([], .update(update)) }
        isPaused = false
        return (actions(session.resume(at: now)), .update(update))
    }

    private mutating func hand(at now: Moment) -> [ShellAction] {
        guard let waiter else { return [] }
        let (actions, next) = take(at: now)
        if case .nothing = next { return [] }
        self.waiter = nil
        return [.call { waiter.resume(returning: next) }] + actions
    }

    private mutating func throttle() -> [ShellAction] {
        guard bufferedBytes > bufferBytes, !isPaused else { return [] }
        isPaused = true
        return actions(session.pause())
    }

    private func actions(_ effects: [SubscriptionSession.Effect]) -> [ShellAction] {
        effects.compactMap { effect in if case .link(let link) = effect { .link(link) } else { nil } }
    }
}
