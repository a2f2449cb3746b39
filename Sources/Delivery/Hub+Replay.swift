import Telemetry

/// What the log gave for a replay.
package enum ReplayChunk: Sendable {
    /// The next outputs after the position asked for; empty at the end of the log.
    case outputs(StreamRing)
    /// What lies up to these watermarks is gone; outputs after them can be had. The insight is the latest there.
    case gap([UInt64], insight: [UInt8])
    case failed(reason: String)
    /// The log does not answer here. It may elsewhere.
    case unavailable(reason: String)
}

extension Hub {
    mutating func startReplay(of reader: Reader, from time: Timestamp?, _ effects: inout [Effect]) {
        reader.state = .replaying(waiting: true)
        counters.replays += 1
        effects.append(.replay(request(reader, time)))
    }

    /// Hands over a chunk. Unknown readers are ignored: they went meanwhile.
    package mutating func replayed(_ number: UInt64, _ chunk: ReplayChunk) -> [Effect] {
        guard let reader = readers[number] else { return [.endReplay(reader: number)] }
        var effects: [Effect] = []
        switch chunk {
        case .outputs(let outputs):
            if case .verifying = reader.state, outputs.first == outputs.end, isAhead(reader.sent, of: reader.stream) {
                // The log has no more than this node, so less than the client.
                return goOnFromHere(reader, "ahead_of_log")
            }
            reader.state = .replaying(waiting: false)
            reader.take(outputs, with: &encoder)
            if reader.hasPending { wake(reader, &effects) } else { continueReplay(of: reader, &effects) }
        case .gap(let watermarks, let insight):
            let position = Position(
                lineage: reader.stream.lineage, seq: watermarks[0], insight: watermarks[1], alert: watermarks[2])
            resync(reader, "log_truncated", at: position, state: insight, &effects)
            effects.append(.replay(request(reader, nil)))
        case .failed(let reason): return goOnFromHere(reader, reason)
        case .unavailable(let reason):
            // Nothing is lost: another node can give what this one cannot, or this one later.
            reader.state = .live
            reader.ordinal = reader.stream.ring.end
            effects.append(.endReplay(reader: number))
            guard !reader.session.isDismissed else { break }
            reader.session.isDismissed = true
            effects.append(.close(reader.session.id, code: CloseCode.notReady, reason: reason))
        }
        return effects
    }

    /// The log does not give what the client lacks: it is told so, and has what comes from now on.
    private mutating func goOnFromHere(_ reader: Reader, _ reason: String) -> [Effect] {
        var effects: [Effect] = []
        reader.state = .live
        reader.ordinal = reader.stream.ring.end
        resync(reader, reason, at: reader.stream.end, state: reader.stream.insight, &effects)
        effects.append(.endReplay(reader: reader.number))
        return effects
    }

    /// Has the log asked for what comes after what the client has.
    mutating func verify(_ reader: Reader, _ effects: inout [Effect]) {
        reader.state = .verifying
        counters.replays += 1
        effects.append(.replay(request(reader, nil)))
    }

    /// Everything of the last chunk is sent: join the ring where it reaches back far enough, else ask for more.
    mutating func continueReplay(of reader: Reader, _ effects: inout [Effect]) {
        guard case .replaying(waiting: false) = reader.state else { return }
        guard let ordinal = reader.stream.ring.ordinal(after: reader.sent, kinds: reader.kinds) else {
            reader.state = .replaying(waiting: true)
            effects.append(.replay(request(reader, nil)))
            return
        }
        reader.state = .live
        reader.ordinal = ordinal
        effects.append(.endReplay(reader: reader.number))
        wake(reader, &effects)
    }

    private func request(_ reader: Reader, _ time: Timestamp?) -> ReplayRequest {
        ReplayRequest(
            reader: reader.number, stream: reader.stream.id, position: reader.sent, kinds: reader.kinds, time: time)
    }

    /// Says that what lies between the client's position and this one cannot be given.
    mutating func resync(
        _ reader: Reader, _ reason: String, at position: Position, state: [UInt8], _ effects: inout [Effect]
    ) {
        counters.resyncs += 1
        reader.dropPending()
        reader.sent = position
        reader.told = position.seq
        message.removeAll()
        message.raw("{\"type\":\"resync\",\"stream\":")
        message.string(reader.stream.id.description)
        message.raw(",\"reason\":")
        message.string(reason)
        message.raw(",\"lineage\":\"")
        message.raw(position.lineage.description.utf8)
        message.raw("\",\"seq\":")
        message.integer(position.seq)
        message.raw(",\"insight\":")
        message.integer(position.insight)
        message.raw(",\"alert\":")
        message.integer(position.alert)
        message.raw(",\"state\":")
        if state.isEmpty { message.raw("null") } else { message.raw(state) }
        message.raw("}")
        post(Frame(message.bytes), to: reader.session, &effects)
    }
}
