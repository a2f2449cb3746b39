import Delivery
import Telemetry

/// Publishes in order and until acknowledged, whatever happens to the connections.
///
/// A number is never used for anything else, so nodes can drop what repeats: a publish that was sent again because its
/// acknowledgement got lost counts once. At most `window` are on their way, which is how far back nodes look for
/// repeats.
package struct PublisherSession: Session {
    package enum Output: Sendable, Equatable {
        /// Every publish up to here is durable, or rejected.
        case settled(through: UInt64)
        /// Before the `settled` that covers it, once.
        case rejected(RejectedRecord)
        /// Nothing more is sent.
        case end(SlipstreamError?)
    }

    /// The same as `SourceWindows.width` of the nodes.
    static let window = 64
    /// A node that refuses this often in a row, with nothing acknowledged between, is left: it may wait for something
    /// that will never come again, and a new connection begins anew.
    static let refusalsMax = 16
    /// A publish larger than this goes out alone.
    static let windowBytes = 4 << 20

    private var link: Link
    private let source: String
    private var outbox: Outbox
    /// The connection that publishes go out on.
    private var outlet: ConnectionID?
    /// The node is busy: nothing is sent before.
    private var heldUntil: Moment?
    /// How often in a row.
    private var refusals = 0
    private var hasEnded = false

    /// - Parameter firstSeq: the number of the first publish.
    package init(source: String, firstSeq: UInt64, urlCount: Int, timing: Timing) {
        link = Link(urlCount: urlCount, timing: timing)
        self.source = source
        outbox = Outbox(firstSeq: firstSeq)
    }

    package var settledThrough: UInt64 { outbox.settledThrough }
    package var lastSeq: UInt64 { outbox.lastSeq }
    package var waitingBytes: Int { outbox.bytes }
    package var waitingRecords: Int { outbox.records }

    package var deadline: Moment? {
        guard let heldUntil else { return link.deadline }
        return link.deadline.map { min($0, heldUntil) } ?? heldUntil
    }

    /// Takes a publish; its number is `lastSeq` afterwards.
    /// - Parameter records: a JSON array with `count` elements.
    package mutating func publish(_ records: some Collection<UInt8>, count: Int) -> [Effect] {
        guard !hasEnded else { return [] }
        var json = JSONWriter(reserving: records.count + 64 + source.utf8.count)
        json.raw("{\"type\":\"publish\",\"source\":")
        json.string(source)
        json.raw(",\"source_seq\":")
        json.integer(outbox.nextSeq)
        json.raw(",\"records\":")
        json.raw(records)
        json.raw("}")
        outbox.append(json.bytes, records: count)
        return send()
    }

    package mutating func handle(
        _ event: LinkEvent, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        guard !hasEnded else { return [] }
        let effects = respond(to: event, at: now, using: &random)
        return effects + beginAnew()
    }

    private mutating func respond(
        to event: LinkEvent, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        switch event {
        case .start: return links(link.start(at: now))
        case .opened(let id): return opened(id, at: now)
        case .received(let id, let message):
            link.heard(id, at: now)
            let change = link.isSuccessor(id) ? links(judge(id, by: message, at: now)) : []
            return change + (link.connection == id ? received(message, at: now, using: &random) : [])
        case .garbled(let id, let error):
            if link.isSuccessor(id) { return links(link.refuse(id, at: now)) }
            return link.connection == id ? end(.protocolViolation(error.description)) : []
        case .lost(let id, let loss):
            guard link.isCurrent(id) else { return [] }
            if let error = loss.verdict, !link.isSuccessor(id) { return end(error) }
            return links(link.lost(id, loss, at: now, using: &random))
        case .wake: return wake(at: now, using: &random)
        case .close: return end(nil)
        }
    }

    /// A successor is asked for a sign of life first: a node that is not ready opens a connection only to close it.
    private mutating func opened(_ id: ConnectionID, at now: Moment) -> [Effect] {
        let effects = links(link.opened(id, at: now))
        guard link.isSuccessor(id) else { return effects }
        return effects + [.link(.send(id, Array("{\"type\":\"ping\"}".utf8)))]
    }

    private mutating func judge(_ successor: ConnectionID, by message: NodeMessage, at now: Moment) -> [Link.Effect] {
        if case .error = message { return link.refuse(successor, at: now) }
        return link.succeed(successor, at: now)
    }

    /// Whenever there is another connection everything that is not acknowledged goes out on it.
    private mutating func beginAnew() -> [Effect] {
        guard !hasEnded, let id = link.connection, id != outlet else { return [] }
        outlet = id
        outbox.rewindAll()
        heldUntil = nil
        refusals = 0
        return send()
    }

    private mutating func wake(at now: Moment, using random: inout some RandomNumberGenerator) -> [Effect] {
        var effects = links(link.wake(at: now, using: &random))
        if let until = heldUntil, now >= until {
            heldUntil = nil
            effects += send()
        }
        return effects
    }

    private mutating func end(_ error: SlipstreamError?) -> [Effect] {
        hasEnded = true
        return links(link.close()) + [.output(.end(error))]
    }

    private mutating func send() -> [Effect] {
        guard let id = link.connection, id == outlet, heldUntil == nil else { return [] }
        var effects: [Effect] = []
        while let message = outbox.nextToSend(window: Self.window, windowBytes: Self.windowBytes) {
            effects.append(.link(.send(id, message)))
        }
        return effects
    }

    private func links(_ effects: [Link.Effect]) -> [Effect] { effects.map(Effect.link) }

    // MARK: Answers

    private mutating func received(
        _ message: NodeMessage, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        switch message {
        case .ack(source, let through, let rejected): return settle(through, rejected)
        case .error(let error) where error.source == source:
            guard let number = error.sourceSeq else { return end(error.verdict) }
            return refused(number, error, at: now, using: &random)
        case .error(let error) where error.source == nil && error.id == nil:
            guard let after = error.retryAfter else { return end(error.verdict) }
            return links(link.abandon(.postponed(reason: error.message, after: after), at: now, using: &random))
        case .heartbeat:
            link.proved()
            return []
        case .moved(let urls): return links(link.move(to: urls, at: now))
        case .nodes(let nodes):
            link.learn(nodes, at: now, using: &random)
            return []
        case .subscribed, .output, .resync, .ack, .error, .pong, .unknown: return []
        }
    }

    private mutating func settle(_ through: UInt64, _ rejected: [RejectedElement]) -> [Effect] {
        guard through <= outbox.highestSent else {
            return end(
                .protocolViolation(
                    "publish \(through) of \(source) is acknowledged, but only \(outbox.highestSent) are sent"))
        }
        link.proved()
        refusals = 0
        var reports: [Effect] = []
        let bySeq = Dictionary(grouping: rejected, by: \.sourceSeq)
        for number in bySeq.keys.sorted() where outbox.report(number) {
            // A publish that went out twice on one connection may be told twice in one acknowledgement.
            let elements = Dictionary(
                bySeq[number]?.map { ($0.index, $0) } ?? [], uniquingKeysWith: { first, _ in first })
            for index in elements.keys.sorted() {
                if let element = elements[index] { reports.append(.output(.rejected(RejectedRecord(element)))) }
            }
        }
        outbox.settle(through: through)
        return reports + [.output(.settled(through: outbox.settledThrough))] + send()
    }

    /// Busy: the same publish goes out again later, and all after it, in order. Else: it is done with.
    private mutating func refused(
        _ number: UInt64, _ error: ErrorMessage, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        guard number > outbox.settledThrough, number <= outbox.highestSent else { return [] }
        if let after = error.retryAfter {
            if heldUntil == nil { refusals += 1 }
            guard refusals < Self.refusalsMax else {
                return links(link.abandon(.postponed(reason: error.message, after: after), at: now, using: &random))
            }
            outbox.rewind(to: number)
            heldUntil = max(heldUntil ?? .zero, now + after)
            return []
        }
        guard outbox.report(number) else { return [] }
        let rejection = RejectedRecord(
            sourceSeq: number, index: nil, field: "", value: "", reason: error.code, message: error.message)
        outbox.refuse(number)
        return [.output(.rejected(rejection)), .output(.settled(through: outbox.settledThrough))] + send()
    }
}

extension RejectedRecord {
    init(_ element: RejectedElement) {
        self.init(
            sourceSeq: element.sourceSeq, index: element.index, field: element.field, value: element.value,
            reason: element.reason, message: element.message)
    }
}
