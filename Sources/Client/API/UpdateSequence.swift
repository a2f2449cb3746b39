import Delivery
import Synchronization
import Telemetry

/// Updates of one or more streams, without end: through lost connections and node restarts, nothing twice and nothing
/// left out.
///
/// Iterating subscribes, on a connection of its own, so that a slow loop holds up nobody else; leaving the loop
/// unsubscribes. Iterating again goes on after the last update that was handled. It is for one task at a time.
///
/// It ends when the task is cancelled or the client is closed, and throws only when it cannot go on:
/// ``SlipstreamError/refused(code:message:)``, ``SlipstreamError/protocolViolation(_:)``,
/// ``SlipstreamError/badStream(_:)`` and the like.
public struct UpdateSequence: AsyncSequence, Sendable {
    public typealias Element = Update
    public typealias Failure = SlipstreamError

    private let subscription: Subscription

    init(_ subscription: Subscription) { self.subscription = subscription }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription.begin()) }

    /// How far the program is in every stream of the subscription, also in those that said nothing yet. Empty until
    /// the first connection.
    ///
    /// An update counts as handled when the next one is asked for.
    public var positions: Positions { Positions(subscription.handled) }

    /// How far the program is once this update, which the loop has at hand, is handled too: to be stored together with
    /// what came of it.
    public func positions(after update: Update) -> Positions {
        var handled = subscription.handled
        switch update.mark {
        case .output(let kind, let seq): handled[update.streamID]?[kind] = seq
        case .resync(let position): handled[update.streamID] = position
        }
        return Positions(handled)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let iteration: Result<Iteration, SlipstreamError>
        private var isDone = false

        init(_ iteration: Result<Iteration, SlipstreamError>) { self.iteration = iteration }

        public mutating func next() async throws(SlipstreamError) -> Update? {
            try await next(isolation: #isolation)
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(SlipstreamError) -> Update? {
            guard !isDone else { return nil }
            switch try await iteration.get().next(isolation: actor) {
            case .update(let update): return update
            case .end(let error):
                isDone = true
                if let error { throw error }
                return nil
            case .nothing: preconditionFailure("an iteration waits until there is something")
            }
        }

        /// Says that a point within the update at hand is handled.
        func finish(point seq: UInt64) {
            if case .success(let iteration) = iteration { iteration.finish(point: seq) }
        }
    }
}

/// What a sequence subscribes to, and how far its iterations came.
final class Subscription: Sendable {
    private let client: ClientCore
    private let request: Result<SubscribeRequest, SlipstreamError>
    private let purpose: String
    private let shell = Mutex<SessionShell<SubscriptionCore>?>(nil)

    init(_ client: ClientCore, _ request: Result<SubscribeRequest, SlipstreamError>, streams: [String]) {
        self.client = client
        self.request = request
        purpose = "updates of \(streams.joined(separator: ", "))"
    }

    var handled: [StreamID: Position] {
        if let shell = shell.withLock({ $0 }) { return shell.withCore { $0.handled } }
        if case .success(let request) = request, case .positions(let positions) = request.from { return positions }
        return [:]
    }

    func begin() -> Result<Iteration, SlipstreamError> {
        shell.withLock { shell in
            if let shell, !shell.withCore({ $0.hasEnded }) { return .failure(.alreadyIterating) }
            return request.flatMap { request in
                let next = makeShell(request, after: shell)
                guard let iteration = Iteration(next, of: client) else { return .failure(.closed) }
                shell = next
                return .success(iteration)
            }
        }
    }

    private func makeShell(
        _ request: SubscribeRequest, after last: SessionShell<SubscriptionCore>?
    ) -> SessionShell<SubscriptionCore> {
        var request = request
        if let handled = last?.withCore({ $0.handled }), !handled.isEmpty { request.from = .positions(handled) }
        let session = SubscriptionSession(request, urlCount: client.urls.count, timing: client.settings.timing)
        return SessionShell(
            SubscriptionCore(session, bufferBytes: client.settings.bufferBytes), over: client.transport,
            epoch: client.epoch
        ) { [weak client, purpose] report in client?.report(report, of: purpose) }
    }
}

/// One pass over a sequence. Letting go of it ends the subscription.
final class Iteration: Sendable {
    private let shell: SessionShell<SubscriptionCore>
    private let client: ClientCore
    private let member: Int

    /// - Returns: `nil` when the client is closed.
    init?(_ shell: SessionShell<SubscriptionCore>, of client: ClientCore) {
        guard let member = client.join({ shell.close() }) else { return nil }
        self.shell = shell
        self.client = client
        self.member = member
        shell.start()
    }

    deinit {
        client.leave(member)
        shell.close()
    }

    func next(isolation actor: isolated (any Actor)?) async -> SubscriptionCore.Next {
        let next = shell.step { core, now, _ in core.next(at: now) }
        guard case .nothing = next else { return next }
        return await withTaskCancellationHandler {
            await withCheckedContinuation(isolation: actor) { waiter in
                shell.step { core, now, _ in core.wait(waiter, at: now) }
            }
        } onCancel: {
            shell.step { core, _, _ in core.cancel() }
        }
    }

    func finish(point seq: UInt64) { shell.withCore { $0.finish(point: seq) } }
}
