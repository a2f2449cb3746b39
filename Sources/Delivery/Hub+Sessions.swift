import Telemetry

extension Hub {
    package mutating func open(_ id: SessionID, now: Timestamp) { sessions[id] = Session(id: id, now: now) }

    package var sessionIDs: [SessionID] { sessions.keys.sorted { $0.value < $1.value } }

    /// What a client has subscribed to.
    package func patterns(of id: SessionID) -> [StreamPattern] {
        sessions[id]?.requests.values.flatMap(\.streams) ?? []
    }

    package mutating func close(_ id: SessionID) -> [Effect] {
        guard let session = sessions.removeValue(forKey: id) else { return [] }
        return session.readers.flatMap { detach($0) }
    }

    package mutating func subscribe(_ request: SubscribeRequest, for id: SessionID) -> [Effect] {
        guard let session = sessions[id] else { return [] }
        var effects: [Effect] = []
        guard session.requests[request.id] == nil else {
            return postError("duplicate_subscription", "subscription \(request.id) exists", to: session, id: request.id)
        }
        guard session.requests.count < limits.subscriptionsPerSession else {
            return postError(
                "too_many_subscriptions", "\(limits.subscriptionsPerSession) subscriptions a connection", to: session,
                id: request.id)
        }
        session.remember(request)
        let matching = streams.values.filter { stream in request.streams.contains { $0.matches(stream.id) } }
            .sorted { $0.id < $1.id }
        let positions = matching.map { ($0.id, attach($0, to: session, request, isNew: false, &effects)) }
        var answer: [Effect] = []
        post(subscribed(request.id, positions), to: session, &answer)
        return answer + effects
    }

    package mutating func unsubscribe(_ subscription: String, for id: SessionID) -> [Effect] {
        guard let session = sessions[id] else { return [] }
        guard let gone = session.forget(subscription: subscription) else {
            return postError(
                "no_such_subscription", "there is none called \(subscription)", to: session, id: subscription)
        }
        return gone.flatMap { detach($0) }
    }

    /// A stream that was not there before belongs to every wildcard: from its first point, if it begins now; if it only
    /// becomes known here, from where the subscription begins.
    mutating func attachWildcards(to stream: HubStream) -> [Effect] {
        var effects: [Effect] = []
        let isNew = stream.ring.floor.allSatisfy { $0 == 0 }
        for session in sessions.values.sorted(by: { $0.id.value < $1.id.value }) {
            for request in session.requests.values.sorted(by: { $0.id < $1.id })
            where request.streams.contains(where: { $0.matches(stream.id) }) {
                _ = attach(stream, to: session, request, isNew: isNew, &effects)
            }
        }
        return effects
    }

    private mutating func detach(_ reader: Reader) -> [Effect] {
        readers.removeValue(forKey: reader.number)
        reader.stream.readers.removeAll { $0 === reader }
        if case .live = reader.state { return [] }
        return [.endReplay(reader: reader.number)]
    }

    /// Puts a reader at the right place in a stream.
    /// - Returns: the position from which outputs come.
    private mutating func attach(
        _ stream: HubStream, to session: Session, _ request: SubscribeRequest, isNew: Bool, _ effects: inout [Effect]
    ) -> Position {
        let start = beginning(of: request.from, in: stream, isNew: isNew)
        let reader = Reader(
            number: nextReader, session: session, subscription: request.id, stream: stream, kinds: request.include,
            behavior: request.behavior, ordinal: stream.ring.end, sent: start)
        nextReader += 1
        readers[reader.number] = reader
        session.readers.append(reader)
        stream.readers.append(reader)

        if let reason = impossible(start, in: stream) {
            resync(reader, reason, at: stream.end, state: stream.insight, &effects)
        } else if case .time(let time) = request.from, !isNew {
            guard let ordinal = stream.ring.ordinal(from: time) else {
                startReplay(of: reader, from: time, &effects)
                return start
            }
            reader.sent = before(ordinal, in: stream)
            reader.ordinal = ordinal
            wake(reader, &effects)
        } else if let ordinal = stream.ring.ordinal(after: start, kinds: request.include) {
            reader.ordinal = ordinal
            wake(reader, &effects)
        } else {
            startReplay(of: reader, from: nil, &effects)
        }
        return reader.sent
    }

    private func beginning(of from: From, in stream: HubStream, isNew: Bool) -> Position {
        switch from {
        case .latest where !isNew: stream.end
        case .latest: Position(lineage: stream.lineage, seq: 0)
        case .earliest, .time: Position(lineage: stream.lineage, seq: 0)
        case .positions(let positions): positions[stream.id] ?? Position(lineage: stream.lineage, seq: 0)
        }
    }

    /// Why outputs after `position` cannot be had, ever.
    private func impossible(_ position: Position, in stream: HubStream) -> String? {
        if position.lineage != stream.lineage { return "lineage_changed" }
        return limits.beatsAheadMax == 0 && isAhead(position, of: stream) ? "ahead_of_log" : nil
    }

    func isAhead(_ position: Position, of stream: HubStream) -> Bool {
        OutputKind.allCases.contains { position[$0] > stream.end.seq }
    }

    private mutating func verifyIfAhead(_ effects: inout [Effect]) {
        for reader in readers.values.sorted(by: { $0.number < $1.number }) {
            guard case .live = reader.state, isAhead(reader.sent, of: reader.stream) else {
                reader.beatsAhead = 0
                continue
            }
            reader.beatsAhead += 1
            guard reader.beatsAhead > limits.beatsAheadMax else { continue }
            verify(reader, &effects)
        }
    }

    /// What is sent already when a reader begins at `ordinal`.
    private func before(_ ordinal: UInt64, in stream: HubStream) -> Position {
        guard ordinal < stream.ring.end else { return stream.end }
        let entry = stream.ring[ordinal]
        let seq = entry.kind == .point ? entry.previous : entry.seq
        return Position(lineage: stream.lineage, seq: seq)
    }

    // MARK: Answers

    private mutating func subscribed(_ id: String, _ positions: [(StreamID, Position)]) -> Frame {
        message.removeAll()
        message.raw("{\"type\":\"subscribed\",\"id\":")
        message.string(id)
        message.raw(",\"positions\":")
        message.positions(Dictionary(uniqueKeysWithValues: positions))
        message.raw("}")
        return Frame(message.bytes)
    }

    private mutating func postError(_ code: String, _ text: String, to session: Session, id: String) -> [Effect] {
        var effects: [Effect] = []
        post(ServerMessage.error(code: code, message: text, id: id), to: session, &effects)
        return effects
    }

    /// Any message about the connection.
    package mutating func send(_ frame: Frame, to id: SessionID) -> [Effect] {
        guard let session = sessions[id] else { return [] }
        var effects: [Effect] = []
        post(frame, to: session, &effects)
        return effects
    }

    // MARK: Time

    /// Heartbeats, and the end of clients that take nothing. To be called several times within the silence after which
    /// clients take a connection for dead.
    package mutating func beat(now: Timestamp) -> [Effect] {
        var effects: [Effect] = []
        if limits.beatsAheadMax > 0 { verifyIfAhead(&effects) }
        for session in sessions.values.sorted(by: { $0.id.value < $1.id.value }) {
            if session.owesSomething {
                let waited = now.microseconds - session.lastProgress.microseconds
                if waited > limits.stallMicroseconds, !session.isDismissed {
                    session.isDismissed = true
                    counters.stalled += 1
                    effects.append(
                        .close(session.id, code: CloseCode.tooSlow, reason: "nothing was read for 10 s; resume"))
                }
                continue
            }
            session.beatsUntold += 1
            let isDue = !session.isHeard || session.beatsUntold >= limits.beatsWhileBusy
            session.isHeard = false
            guard isDue else { continue }
            session.beatsUntold = 0
            post(heartbeat(for: session), to: session, &effects)
        }
        return effects
    }

    /// Says what was sent since the last heartbeat; a client that has less has lost something.
    private mutating func heartbeat(for session: Session) -> Frame {
        var moved: [StreamID: Position] = [:]
        for reader in session.readers where reader.sent.seq != reader.told {
            moved[reader.stream.id] = reader.sent
            reader.told = reader.sent.seq
        }
        message.removeAll()
        message.raw("{\"type\":\"heartbeat\",\"positions\":")
        message.positions(moved)
        message.raw("}")
        return Frame(message.bytes)
    }
}
