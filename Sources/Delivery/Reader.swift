import Telemetry

/// One subscription's place in one stream.
final class Reader {
    enum State {
        /// Served from the ring.
        case live
        /// Too far back for the ring: the log is being read; `waiting` while a chunk is under way.
        case replaying(waiting: Bool)
        /// Its client has more than this node: the log is asked whether it has as much.
        case verifying
    }

    let number: UInt64
    unowned let session: Session
    let subscription: String
    let stream: HubStream
    let kinds: [OutputKind]
    let behavior: Behavior
    var state = State.live
    /// The next output in the ring.
    var ordinal: UInt64
    /// What was sent, per kind.
    var sent: Position
    /// What the last heartbeat said.
    var told: UInt64
    /// Frames of the group being sent, in reverse.
    private var pending: [Frame] = []
    /// For how many beats its client has had more than this node.
    var beatsAhead = 0
    /// Whether the session knows that there is something to send.
    var isQueued = false

    init(
        number: UInt64, session: Session, subscription: String, stream: HubStream, kinds: [OutputKind],
        behavior: Behavior, ordinal: UInt64, sent: Position
    ) {
        self.number = number
        self.session = session
        self.subscription = subscription
        self.stream = stream
        self.kinds = kinds
        self.behavior = behavior
        self.ordinal = ordinal
        self.sent = sent
        told = sent.seq
    }

    /// Whether new outputs in the ring are for it already.
    var wantsFlush: Bool {
        if case .live = state { true } else { false }
    }
    var wantsSharedFrames: Bool { wantsFlush && behavior == .every }

    enum Next {
        case frame(Frame)
        case nothing
        /// The outputs after `sent` are no longer in the ring.
        case behind
    }

    /// The next frame to send.
    func next(with encoder: inout FrameEncoder) -> Next {
        if let frame = pending.popLast() { return .frame(frame) }
        guard case .live = state else { return .nothing }
        guard ordinal < stream.flushed else { return .nothing }
        if behavior == .latest { return conflated(with: &encoder) }
        return ordinal >= stream.ring.first ? every(with: &encoder) : .behind
    }

    /// Takes a chunk that the log gave: outputs after `sent`, in order.
    func take(_ chunk: borrowing StreamRing, with encoder: inout FrameEncoder) {
        var start = chunk.first
        var frames: [Frame] = []
        while start < chunk.end {
            let group = encoder.group(
                of: stream.id, stream.lineage, from: chunk, at: start, after: sent, kinds: kinds)
            frames.append(contentsOf: group.frames)
            start = group.end
        }
        for kind in OutputKind.allCases { sent[kind] = max(sent[kind], chunk.latest[Int(kind.rawValue)]) }
        pending = frames.reversed()
    }

    var hasPending: Bool { !pending.isEmpty }
    func dropPending() { pending = [] }

    private func every(with encoder: inout FrameEncoder) -> Next {
        while ordinal < stream.flushed {
            let group =
                sharedGroup()
                ?? encoder.group(
                    of: stream.id, stream.lineage, from: stream.ring, at: ordinal, until: stream.flushed, after: sent,
                    kinds: kinds)
            ordinal = group.end
            pending = group.frames.reversed().filter { $0.kind.map(kinds.contains) ?? true }
            for frame in pending { if let kind = frame.kind { sent[kind] = max(sent[kind], frame.seq) } }
            if let frame = pending.popLast() { return .frame(frame) }
        }
        return .nothing
    }

    /// The frames made for everybody, unless something in them was sent here already.
    private func sharedGroup() -> FrameGroup? {
        let seq = stream.ring[ordinal].seq
        return kinds.allSatisfy { sent[$0] < seq } ? stream.sharedGroup(at: ordinal) : nil
    }

    /// Only the newest output of each kind, whatever lies between.
    private func conflated(with encoder: inout FrameEncoder) -> Next {
        let ring = stream.ring
        var newest: [Frame] = []
        for kind in kinds.reversed() where ring.latest[Int(kind.rawValue)] > sent[kind] {
            guard
                let entry = (max(ordinal, ring.first)..<stream.flushed).reversed().lazy.map({ ring[$0] }).first(where: {
                    $0.kind == kind && $0.seq > self.sent[kind]
                })
            else { continue }
            ring.withBytes(of: entry) { json in
                newest.append(
                    kind == .point
                        ? encoder.conflated(
                            entry, json: json, of: stream.id, stream.lineage, previous: sent.seq,
                            conflated: entry.seq - sent.seq)
                        : encoder.frame(entry, json, of: stream.id, stream.lineage))
            }
            sent[kind] = entry.seq
        }
        ordinal = stream.flushed
        pending = newest
        if let frame = pending.popLast() { return .frame(frame) }
        return .nothing
    }
}
