import Delivery
import Telemetry

/// One subscription, whatever happens to its connections: resumes by position, drops repeats, notices gaps.
///
/// Pure: events and the time come in, effects go out. A position is taken down twice: as *received*, from where a new
/// connection goes on (what is received is safe in the buffer), and as *handled*, which the program may keep.
package struct SubscriptionSession: Session {
    package enum Output: Sendable {
        /// Never twice, and per kind in order of seq.
        case deliver(Update)
        /// Nothing more will come after what was delivered before.
        case end(SlipstreamError?)
    }

    /// Its id on the wire: each subscription has a connection of its own.
    static let id = "updates"

    private var link: Link
    private let request: SubscribeRequest
    private var cursors: [StreamID: StreamCursor] = [:]
    /// Whether a node has said where the streams begin: from then on the positions hold, not `request.from`.
    private var hasBegun = false
    private var hasEnded = false

    package init(_ request: SubscribeRequest, urlCount: Int, timing: Timing) {
        link = Link(urlCount: urlCount, timing: timing)
        self.request = request
        if case .positions(let positions) = request.from {
            cursors = positions.mapValues { StreamCursor(at: $0, isAnchored: true) }
            hasBegun = true
        }
    }

    package var deadline: Moment? { link.deadline }
    package var connection: ConnectionID? { link.connection }

    /// What the program has finished with.
    package var handled: [StreamID: Position] { cursors.mapValues(\.handled) }

    package mutating func handle(
        _ event: LinkEvent, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        guard !hasEnded else { return [] }
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
        case .wake: return links(link.wake(at: now, using: &random))
        case .close: return end(nil)
        }
    }

    /// The buffer is full: nothing more is read until `resume`.
    package mutating func pause() -> [Effect] { hasEnded ? [] : links(link.pause()) }
    package mutating func resume(at now: Moment) -> [Effect] { hasEnded ? [] : links(link.resume(at: now)) }

    /// The program has finished with an update. In the order of delivery.
    package mutating func finish(_ update: Update) { cursors[update.streamID]?.finish(update.mark) }

    /// The program has finished with a point within a telemetry update.
    package mutating func finish(point seq: UInt64, of stream: StreamID) {
        cursors[stream]?.finish(.output(.point, seq: seq))
    }

    // MARK: Beginning and end

    private mutating func opened(_ id: ConnectionID, at now: Moment) -> [Effect] {
        let reports = link.opened(id, at: now)
        guard link.connection == id || link.isSuccessor(id) else { return [] }
        var subscribe = request
        subscribe.from = resumePoint
        var json = JSONWriter()
        subscribe.write(into: &json)
        return links(reports + [.send(id, json.bytes)])
    }

    /// Until the other node says where the streams go on there, the old connection delivers; what repeats is dropped.
    private mutating func judge(_ successor: ConnectionID, by message: NodeMessage, at now: Moment) -> [Link.Effect] {
        switch message {
        case .subscribed, .output, .resync: link.succeed(successor, at: now)
        case .error: link.refuse(successor, at: now)
        case .heartbeat, .ack, .moved, .nodes, .pong, .unknown: []
        }
    }

    /// While a stream's beginning is still open the original request stands: what repeats is dropped.
    private var resumePoint: From {
        guard hasBegun, cursors.values.allSatisfy(\.isAnchored) else { return request.from }
        return .positions(cursors.mapValues(\.received))
    }

    private mutating func end(_ error: SlipstreamError?) -> [Effect] {
        hasEnded = true
        return links(link.close()) + [.output(.end(error))]
    }

    private func links(_ effects: [Link.Effect]) -> [Effect] { effects.map(Effect.link) }

    // MARK: Messages

    private mutating func received(
        _ message: NodeMessage, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        switch message {
        case .output(let output): return take(output, at: now, using: &random)
        case .subscribed(Self.id, let positions): begin(at: positions)
        case .heartbeat(let positions): return check(positions, at: now, using: &random)
        case .resync(let resync): return jump(resync)
        case .error(let error) where error.id == Self.id || error.id == nil && error.source == nil:
            guard let after = error.retryAfter else { return end(error.verdict) }
            return links(link.abandon(.postponed(reason: error.message, after: after), at: now, using: &random))
        case .moved(let urls): return links(link.move(to: urls, at: now))
        case .nodes(let nodes): link.learn(nodes, at: now, using: &random)
        case .subscribed, .ack, .error, .pong, .unknown: break
        }
        return []
    }

    private mutating func begin(at positions: [StreamID: Position]) {
        hasBegun = true
        var mayBeOpen = false
        if case .time = request.from { mayBeOpen = true }
        for (stream, position) in positions where cursors[stream] == nil {
            cursors[stream] = StreamCursor(at: position, isAnchored: !mayBeOpen || position.seq > 0)
        }
    }

    private mutating func take(
        _ output: OutputMessage, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        guard request.include.contains(output.kind) else { return [] }
        let conflates = request.behavior == .latest
        guard
            conflates || output.kind != .point
                || output.seq - min(output.previous, output.seq) == UInt64(output.body.elements.count)
        else {
            return end(
                .protocolViolation(
                    "\(output.body.elements.count) points for \(output.previous + 1)...\(output.seq) of \(output.stream)"
                ))
        }
        let unknown = StreamCursor(at: Position(lineage: output.lineage, seq: 0), isAnchored: true)
        // A stream that was not there before comes from its first point.
        let verdict = cursors[output.stream, default: unknown].take(
            output.kind, lineage: output.lineage, previous: output.previous, seq: output.seq, mayJump: conflates)
        switch verdict {
        case .fresh:
            link.proved()
            return [.output(.deliver(Update(output, skipping: 0)))]
        case .partlyFresh(let count):
            link.proved()
            return [.output(.deliver(Update(output, skipping: count)))]
        case .repeated: return []
        case .gap(let after):
            return ask(again: output.stream, after: after, before: output.seq, at: now, using: &random)
        case .otherHistory:
            return links(
                link.abandon(
                    .broken(reason: "\(output.stream) has another lineage"), at: now, using: &random))
        }
    }

    private mutating func check(
        _ positions: [StreamID: Position], at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        for (stream, told) in positions.sorted(by: { $0.key < $1.key }) {
            let gap = cursors[stream]?.check(told, kinds: request.include, mayJump: request.behavior == .latest)
            if let gap {
                return ask(again: stream, after: gap.after, before: told[gap.kind] + 1, at: now, using: &random)
            }
        }
        link.proved()
        return []
    }

    /// Goes back to what was received, on a new connection.
    private mutating func ask(
        again stream: StreamID, after: UInt64, before: UInt64, at now: Moment,
        using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        let report = ConnectionReport.gap(stream: stream.description, after: after, before: before)
        let loss = Loss.broken(reason: "\(stream) lacks what lies between \(after) and \(before)")
        return links([.report(report)] + link.abandon(loss, at: now, using: &random))
    }

    private mutating func jump(_ resync: ResyncMessage) -> [Effect] {
        cursors[resync.stream, default: StreamCursor(at: resync.position, isAnchored: true)].jump(to: resync.position)
        return [.output(.deliver(.resync(Resync(resync))))]
    }
}
