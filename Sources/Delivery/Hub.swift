import Telemetry

/// The part of a node that serves clients: rings of the newest outputs, subscriptions, resume.
///
/// Pure: outputs, messages and the time come in, frames and effects go out. One thread owns it. What lies too far back
/// for a ring is asked for with `Effect.replay`; everything else is answered from memory. It encodes a stretch of a
/// stream once, for all who listen.
package struct Hub {
    package struct Limits: Sendable {
        /// JSON bytes kept per stream.
        package var ringBytes = 1 << 20
        /// JSON bytes kept in all streams together; when it is reached rings stop growing.
        package var ringBytesTotal = 256 << 20
        package var subscriptionsPerSession = 64
        /// A client that takes nothing for this long while something waits for it is closed.
        package var stallMicroseconds: Int64 = 10_000_000
        /// A client that is being sent updates gets a heartbeat every so many beats only.
        package var beatsWhileBusy = 1
        /// A client may come from a replica that was further than this one, which then catches up. After so many beats
        /// the log is asked whether it has lost what the client has. 0: there is no other replica.
        package var beatsAheadMax = 0
        package init() {}
    }

    package enum Effect {
        /// The session has something to send: ask its socket to be writable, then call `nextFrame`.
        case wantsToWrite(SessionID)
        /// Close the connection with this code and reason.
        case close(SessionID, code: UInt16, reason: String)
        /// Read outputs after `position` from the log and hand them to `replayed`.
        case replay(ReplayRequest)
        /// No more of these are wanted.
        case endReplay(reader: UInt64)
    }

    /// Outputs that are wanted from the log.
    package struct ReplayRequest: Sendable {
        package let reader: UInt64
        package let stream: StreamID
        package let position: Position
        package let kinds: [OutputKind]
        /// Skip to the first point at or after.
        package let time: Timestamp?
    }

    package let limits: Limits
    package private(set) var streams: [StreamID: HubStream] = [:]
    package private(set) var byPlace: [[HubStream]] = []
    private var dirty: [HubStream] = []
    var sessions: [SessionID: Session] = [:]
    var readers: [UInt64: Reader] = [:]
    var nextReader: UInt64 = 1
    var encoder = FrameEncoder()
    var message = JSONWriter()
    package internal(set) var counters = Counters()

    package struct Counters: Sendable {
        package var framesSent: UInt64 = 0
        package var bytesSent: UInt64 = 0
        package var replays: UInt64 = 0
        package var resyncs: UInt64 = 0
        package var stalled: UInt64 = 0
    }

    package init(limits: Limits = Limits()) { self.limits = limits }

    package var sessionCount: Int { sessions.count }

    /// What all clients have subscribed to.
    package var patterns: [StreamPattern] { sessions.values.flatMap { $0.requests.values.flatMap(\.streams) } }

    // MARK: Outputs

    /// A shard's outputs come from another replica from now on, whose streams are announced next.
    package mutating func restart(shard: Int) {
        if shard < byPlace.count { byPlace[shard].removeAll() }
    }

    /// Makes a stream known, at what it had said before.
    ///
    /// - Parameter number: the stream's number in its shard, as `OutputBatch` names it. Streams of a shard are
    ///   announced in the order of their numbers.
    /// - Parameter floor: the last seq of each kind that will not come here.
    package mutating func announce(
        _ id: StreamID, shard: Int, number: Int, lineage: Lineage, floor: [UInt64], insight: [UInt8] = []
    ) -> [Effect] {
        while byPlace.count <= shard { byPlace.append([]) }
        let next = byPlace[shard].count
        precondition(next == number, "stream \(id) is announced as \(number), not \(next)")
        var effects: [Effect] = []
        if let known = streams[id] {
            if known.lineage == lineage { return resume(known, in: shard, at: floor, insight) }
            effects = dismissReaders(of: known)
        }
        let share = limits.ringBytesTotal / (streams.count + 1)
        let stream = HubStream(
            id: id, lineage: lineage, floor: floor, capacity: min(limits.ringBytes, max(share, 64 << 10)))
        stream.insight = insight
        byPlace[shard].append(stream)
        streams[id] = stream
        return effects + attachWildcards(to: stream)
    }

    private mutating func resume(
        _ stream: HubStream, in shard: Int, at floor: [UInt64], _ insight: [UInt8]
    ) -> [Effect] {
        byPlace[shard].append(stream)
        var effects: [Effect] = []
        guard stream.resume(at: floor, insight: insight) else { return effects }
        for reader in stream.readers where reader.wantsFlush { wake(reader, &effects) }
        return effects
    }

    /// The topic was made anew: who reads the stream comes back with a position of the old one and is told.
    private func dismissReaders(of stream: HubStream) -> [Effect] {
        Set(stream.readers.map(\.session.id)).sorted { $0.value < $1.value }.map {
            .close($0, code: CloseCode.goingAway, reason: "the log of \(stream.id) was made anew; resume")
        }
    }

    /// Whether a shard's outputs have some that were said here before, by another replica.
    package func hasRepeats(_ batch: borrowing OutputBatch, shard: Int) -> Bool {
        let places = byPlace[shard]
        return batch.entries.contains { $0.seq <= places[Int($0.stream)].ring.latest[Int($0.kind.rawValue)] }
    }

    /// The same without them.
    package func withoutRepeats(_ batch: borrowing OutputBatch, shard: Int) -> OutputBatch {
        let places = byPlace[shard]
        return batch.filtered { $0.seq > places[Int($0.stream)].ring.latest[Int($0.kind.rawValue)] }
    }

    /// Takes a shard's outputs into the rings. Clients see them after `flush`.
    package mutating func absorb(_ batch: borrowing OutputBatch, shard: Int) {
        let places = byPlace[shard]
        batch.bytes.withUnsafeBytes { bytes in
            for entry in batch.entries {
                let stream = places[Int(entry.stream)]
                let json = UnsafeRawBufferPointer(rebasing: bytes[entry.start..<entry.start + entry.count])
                stream.ring.append(
                    kind: entry.kind, seq: entry.seq, previous: entry.previous, time: entry.time, json: json)
                if entry.kind == .insight {
                    stream.insight.replaceSubrange(stream.insight.startIndex..., with: json)
                    stream.insightTime = entry.time
                }
                if !stream.isDirty {
                    stream.isDirty = true
                    dirty.append(stream)
                }
            }
        }
    }

    /// Lets clients have what was absorbed.
    package mutating func flush() -> [Effect] {
        var effects: [Effect] = []
        for stream in dirty {
            stream.flush(with: &encoder)
            for reader in stream.readers where reader.wantsFlush {
                wake(reader, &effects)
            }
        }
        dirty.removeAll(keepingCapacity: true)
        return effects
    }

    // MARK: Writing

    /// What to send next; call it until it gives nothing or the socket takes no more.
    package mutating func nextFrame(for id: SessionID, now: Timestamp) -> (frame: Frame?, effects: [Effect]) {
        guard let session = sessions[id] else { return (nil, []) }
        var effects: [Effect] = []
        if let frame = session.popMessage() { return (sent(frame, session, now), effects) }
        while let reader = session.nextReader {
            switch reader.next(with: &encoder) {
            case .frame(let frame):
                if !reader.hasPending { session.rotate(keeping: true) }
                return (sent(frame, session, now), effects)
            case .nothing:
                session.rotate(keeping: false)
                continueReplay(of: reader, &effects)
            case .behind:
                // Another source may have brought what is missing.
                if let ordinal = reader.stream.ring.ordinal(after: reader.sent, kinds: reader.kinds) {
                    reader.ordinal = ordinal
                    continue
                }
                session.rotate(keeping: false)
                startReplay(of: reader, from: nil, &effects)
            }
        }
        session.lastProgress = now
        return (nil, effects)
    }

    private mutating func sent(_ frame: Frame, _ session: Session, _ now: Timestamp) -> Frame {
        session.lastProgress = now
        session.isHeard = true
        counters.framesSent += 1
        counters.bytesSent += UInt64(frame.count)
        return frame
    }

    func wake(_ reader: Reader, _ effects: inout [Effect]) {
        let session = reader.session
        let wasQuiet = !session.owesSomething
        session.enqueue(reader)
        if wasQuiet { effects.append(.wantsToWrite(session.id)) }
    }

    /// Queues a message about the connection.
    mutating func post(_ frame: Frame, to session: Session, _ effects: inout [Effect]) {
        let wasQuiet = !session.owesSomething
        guard session.post(frame) else {
            counters.stalled += 1
            return effects.append(.close(session.id, code: CloseCode.tooSlow, reason: "answers are not being read"))
        }
        if wasQuiet { effects.append(.wantsToWrite(session.id)) }
    }
}

/// WebSocket close codes of our own.
package enum CloseCode {
    package static let goingAway: UInt16 = 1001
    package static let protocolError: UInt16 = 4000
    package static let tooSlow: UInt16 = 4008
    package static let notReady: UInt16 = 4013
}
