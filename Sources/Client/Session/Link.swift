/// Time since some fixed instant of the process, always growing. The shell takes it from the continuous clock.
package typealias Moment = Duration

/// Names one attempt to connect. What an older attempt still has to say is ignored.
package struct ConnectionID: Hashable, Sendable, CustomStringConvertible {
    package let value: Int
    package init(_ value: Int) { self.value = value }
    package var description: String { "connection \(value)" }
}

/// Where to connect.
package enum Destination: Hashable, Sendable {
    /// The program gave it: its place in the list.
    case listed(Int)
    /// A node told it.
    case told(url: String)
}

/// Why a connection ended, and so what to do next.
package enum Loss: Equatable, Sendable {
    /// No connection came about, or it broke.
    case broken(reason: String)
    /// The node closed it.
    case closed(code: UInt16, reason: String)
    /// The node asks to come back later.
    case postponed(reason: String, after: Duration)
}

/// Gets a connection to one of several nodes and keeps it: retries, backoff, silence, moving to another node.
///
/// Pure: events and the time come in, effects go out. Both sessions (subscription and publisher) are built around one.
package struct Link: Sendable {
    package enum State: Equatable, Sendable {
        /// Before `start`. → connecting
        case idle
        /// → open (`opened`), waiting or connecting (`lost`, too late)
        case connecting(ConnectionID, until: Moment)
        /// → waiting, connecting or parked (`lost`, silent)
        case open(ConnectionID, heard: Moment, isPinged: Bool)
        /// → connecting (at `until`)
        case waiting(until: Moment)
        /// Lost while nobody reads: there is no hurry. → connecting (`resume`)
        case parked
        /// From anywhere; final.
        case closed
    }

    package enum Effect: Equatable, Sendable {
        case connect(ConnectionID, to: Destination)
        /// Nothing that this connection says from now on is listened to.
        case disconnect(ConnectionID, code: UInt16, reason: String)
        /// In order, and only while the connection is open.
        case send(ConnectionID, [UInt8])
        /// Whether to take anything more from the network.
        case setReading(ConnectionID, Bool)
        case report(ConnectionReport)
    }

    package internal(set) var state = State.idle
    let timing: Timing
    let urlCount: Int
    var address = Destination.listed(0)
    /// The place in the list that was tried last.
    var listed = 0
    /// Where to try since the last connection that was of use, and how far that is.
    private var attempts: [Destination] = []
    private var attempt = 0
    private var lastID = 0
    /// Attempts and connections in a row that came to nothing.
    private var failures = 0
    private(set) var isPaused = false
    var successor: Successor?
    /// Other nodes, as the last one told, the best first.
    var told: [String] = []
    /// Whether an address that was told has led to a node.
    var toldWorks = false
    var relocation: Relocation?
    /// No relocation begins before.
    var settledUntil = Moment.zero
    /// In a row.
    var failedRelocations = 0

    package init(urlCount: Int, timing: Timing) {
        precondition(urlCount > 0, "a link needs a url")
        attempts = (0..<urlCount).map { .listed($0) }
        self.urlCount = urlCount
        self.timing = timing
    }

    /// The open connection.
    package var connection: ConnectionID? { if case .open(let id, _, _) = state { id } else { nil } }

    package func isCurrent(_ id: ConnectionID) -> Bool {
        if isSuccessor(id) { return true }
        return switch state {
        case .connecting(let current, _), .open(let current, _, _): current == id
        case .idle, .waiting, .parked, .closed: false
        }
    }

    /// When `wake` has something to do.
    package var deadline: Moment? {
        let relocationDue = connection == nil || successor != nil || isPaused ? nil : relocation?.at
        return [ownDeadline, successor?.until, relocationDue].compactMap(\.self).min()
    }

    private var ownDeadline: Moment? {
        switch state {
        case .connecting(_, let until), .waiting(let until): until
        case .open(_, let heard, let isPinged) where !isPaused:
            heard + (isPinged ? timing.silence : timing.silence / 3)
        case .open, .idle, .parked, .closed: nil
        }
    }

    // MARK: Events

    package mutating func start(at now: Moment) -> [Effect] {
        guard state == .idle else { return [] }
        return connect(at: now)
    }

    package mutating func opened(_ id: ConnectionID, at now: Moment) -> [Effect] {
        if isSuccessor(id) { successor?.isOpen = true }
        guard case .connecting(id, _) = state else { return [] }
        return open(id, at: now)
    }

    /// Something arrived, so the node lives.
    package mutating func heard(_ id: ConnectionID, at now: Moment) {
        guard case .open(id, _, _) = state else { return }
        state = .open(id, heard: now, isPinged: false)
    }

    /// The connection is of use: the next loss is retried at once.
    package mutating func proved() { failures = 0 }

    package mutating func lost(
        _ id: ConnectionID, _ loss: Loss, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        guard isCurrent(id) else { return [] }
        if isSuccessor(id) { return seekAnotherSuccessor(at: now) }
        return takeOver(after: loss, at: now) ?? retry(after: loss, at: now, using: &random)
    }

    /// Gives up the connection, for a reason found on this side.
    package mutating func abandon(
        _ loss: Loss, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let disconnect = disconnect(reason: loss.reason)
        guard !disconnect.isEmpty else { return [] }
        return disconnect + (takeOver(after: loss, at: now) ?? retry(after: loss, at: now, using: &random))
    }

    package mutating func wake(at now: Moment, using random: inout some RandomNumberGenerator) -> [Effect] {
        if let successor, now >= successor.until { return refuse(successor.id, at: now) }
        if let due = relocation?.at, now >= due, !isPaused, connection != nil, successor == nil {
            return relocate(at: now)
        }
        guard let deadline = ownDeadline, now >= deadline else { return [] }
        switch state {
        case .waiting: return connect(at: now)
        case .connecting:
            return abandon(.broken(reason: "no connection after \(timing.connectTimeout)"), at: now, using: &random)
        case .open(let id, let heard, _) where now < heard + timing.silence:
            state = .open(id, heard: heard, isPinged: true)
            return [.send(id, Array("{\"type\":\"ping\"}".utf8))]
        case .open:
            return abandon(.broken(reason: "nothing heard for \(timing.silence)"), at: now, using: &random)
        case .idle, .parked, .closed: return []
        }
    }

    /// Nothing is read from now on, so silence means nothing.
    package mutating func pause() -> [Effect] {
        isPaused = true
        return connection.map { [.setReading($0, false)] } ?? []
    }

    package mutating func resume(at now: Moment) -> [Effect] {
        isPaused = false
        if state == .parked { return connect(at: now) }
        guard let id = connection else { return [] }
        heard(id, at: now)
        return [.setReading(id, true)]
    }

    package mutating func close() -> [Effect] {
        defer { (state, successor) = (.closed, nil) }
        let reason = "the client closes"
        let late = successor.map { [Effect.disconnect($0.id, code: 1000, reason: reason)] } ?? []
        return disconnect(reason: reason) + late
    }

    // MARK: Steps

    private mutating func connect(at now: Moment) -> [Effect] {
        let id = newID()
        state = .connecting(id, until: now + timing.connectTimeout)
        return [.connect(id, to: address)]
    }

    mutating func newID() -> ConnectionID {
        lastID += 1
        return ConnectionID(lastID)
    }

    mutating func open(_ id: ConnectionID, at now: Moment) -> [Effect] {
        state = .open(id, heard: now, isPinged: false)
        // The node here tells anew.
        relocation = nil
        noteTold(address)
        return [.report(.connected(to: address))] + (isPaused ? [.setReading(id, false)] : [])
    }

    func disconnect(reason: String) -> [Effect] {
        switch state {
        case .connecting(let id, _), .open(let id, _, _): [.disconnect(id, code: 1000, reason: reason)]
        case .idle, .waiting, .parked, .closed: []
        }
    }

    /// At once while there are nodes that were not tried since; then with a wait.
    private mutating func retry(
        after loss: Loss, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        failures += 1
        if failures == 1 { (attempts, attempt) = (route, 0) } else { attempt = (attempt + 1) % attempts.count }
        address = attempts[attempt]
        if case .listed(let place) = address { listed = place }
        let report = Effect.report(.disconnected(reason: loss.reason))
        if isPaused {
            state = .parked
            return [report]
        }
        guard let delay = delay(after: loss, using: &random) else { return [report] + connect(at: now) }
        state = .waiting(until: now + delay)
        return [report, .report(.retrying(after: delay))]
    }

    /// - Returns: `nil` for at once.
    private func delay(after loss: Loss, using random: inout some RandomNumberGenerator) -> Duration? {
        let rounds = failures - attempts.count
        return switch loss {
        case .postponed(_, let after): max(after, timing.backoff(failures - 1, using: &random))
        case .closed(code: 4013, _) where loss.retryHint != nil:
            rounds < 0 ? nil : timing.notReadyWait(rounds, hint: loss.retryHint, using: &random)
        case .closed(code: 4013, _) where attempts.count == 1 || rounds > 0:
            timing.notReadyWait(attempts.count == 1 ? rounds : rounds - 1, hint: nil, using: &random)
        case .broken, .closed: rounds <= 0 ? nil : timing.backoff(rounds - 1, using: &random)
        }
    }
}

extension Loss {
    package var reason: String {
        switch self {
        case .broken(let reason), .postponed(let reason, _): reason
        case .closed(let code, let reason): reason.isEmpty ? "closed with \(code)" : "closed with \(code): \(reason)"
        }
    }

    /// What a node's close reason says about when to come back: `… retry after 250 ms`.
    var retryHint: Duration? {
        guard case .closed(_, let reason) = self else { return nil }
        let words = reason.split(separator: " ")
        guard let place = words.indices.first(where: { words[$0...].starts(with: ["retry", "after"]) }),
            words.indices.contains(place + 2), let milliseconds = UInt32(words[place + 2])
        else { return nil }
        return .milliseconds(min(milliseconds, 60_000))
    }
}
