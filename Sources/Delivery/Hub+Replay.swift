import Telemetry

/// What the log gave for a replay.
package enum ReplayChunk {
    /// The next outputs after the position asked for; empty at the end of the log.
    case outputs(StreamRing)
    /// The log begins later: what lies between is gone.
    case truncated
    case failed(reason: String)
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
            reader.state = .replaying(waiting: false)
            if outputs.first == outputs.end { rejoin(reader, &effects) } else { reader.take(outputs, with: &encoder) }
            wake(reader, &effects)
        case .truncated:
            resync(reader, "log_truncated", &effects)
        case .failed(let reason):
            resync(reader, reason, &effects)
        }
        return effects
    }

    /// Everything of the last chunk is sent: join the ring where it reaches back far enough, else ask for more.
    mutating func continueReplay(of reader: Reader, _ effects: inout [Effect]) {
        guard case .replaying(waiting: false) = reader.state else { return }
        if reader.stream.ring.ordinal(after: reader.sent, kinds: reader.kinds) != nil {
            rejoin(reader, &effects)
            wake(reader, &effects)
        } else {
            reader.state = .replaying(waiting: true)
            effects.append(.replay(request(reader, nil)))
        }
    }

    private func request(_ reader: Reader, _ time: Timestamp?) -> ReplayRequest {
        ReplayRequest(
            reader: reader.number, stream: reader.stream.id, position: reader.sent, kinds: reader.kinds, time: time)
    }

    private func rejoin(_ reader: Reader, _ effects: inout [Effect]) {
        reader.state = .live
        reader.ordinal = reader.stream.ring.ordinal(after: reader.sent, kinds: reader.kinds) ?? reader.stream.ring.first
        effects.append(.endReplay(reader: reader.number))
    }

    /// Says that something cannot be given, and goes on from the present state.
    mutating func resync(_ reader: Reader, _ reason: String, _ effects: inout [Effect]) {
        counters.resyncs += 1
        if case .replaying = reader.state { effects.append(.endReplay(reader: reader.number)) }
        let stream = reader.stream
        reader.state = .live
        reader.dropPending()
        reader.ordinal = stream.ring.end
        reader.sent = stream.end
        reader.told = stream.end.seq
        message.removeAll()
        message.raw("{\"type\":\"resync\",\"stream\":")
        message.string(stream.id.description)
        message.raw(",\"reason\":")
        message.string(reason)
        message.raw(",\"lineage\":\"")
        message.raw(stream.lineage.description.utf8)
        message.raw("\",\"seq\":")
        message.integer(stream.end.seq)
        message.raw(",\"state\":")
        if stream.insight.isEmpty { message.raw("null") } else { message.raw(stream.insight) }
        message.raw("}")
        post(Frame(message.bytes), to: reader.session, &effects)
    }
}
