import Delivery
import Replication
import Telemetry

/// What one connection published and is not yet told about.
struct PublisherSessions {
    /// Per source: publishes that wait for the log, and how far all before are durable.
    struct Source {
        var waiting: Set<UInt64> = []
        var highest: UInt64 = 0
        var rejected: [Rejection] = []
        /// A publish that was turned away: everything after it is too, until it comes again, so that order is kept.
        var expects: UInt64?

        /// Every publish up to here that came on this connection is durable.
        var through: UInt64 { waiting.min().map { $0 - 1 } ?? highest }
    }
    var sources: [String: Source] = [:]

    static let waitingMax = 256
    static let sourcesMax = 64
}

extension Service {
    /// Takes a publish. It is answered by an `ack` when it is durable, or by an `error` at once.
    func publish(_ records: UnsafeRawBufferPointer, _ origin: Origin, from id: SessionID) {
        var source = publishers[id]?.sources[origin.source] ?? .init()
        if let expected = source.expects, origin.sequence != expected { return overloaded(origin, id) }
        let known = publishers[id]?.sources ?? [:]
        let isOneTooMany = known.count >= PublisherSessions.sourcesMax && known[origin.source] == nil
        guard source.waiting.count < PublisherSessions.waitingMax, !isOneTooMany else {
            return turnAway(origin, &source, id)
        }

        let accepted: Gateway.Accepted
        do throws(Refusal) {
            accepted = try gateway.take(records, as: .json, origin: origin, time: .wall)
        } catch {
            metrics.refuse(error.reason, count: 1)
            // It will not come again: what follows it may.
            publishers[id]?.sources[origin.source]?.expects = nil
            return carryOut(
                hub.send(
                    ServerMessage.error(
                        code: error.reason.rawValue, message: error.description, source: origin.source,
                        sequence: origin.sequence), to: id))
        }
        source.rejected += accepted.rejected
        guard !accepted.records.isEmpty else {
            count(accepted)
            source.highest = max(source.highest, origin.sequence)
            source.expects = nil
            publishers[id, default: .init()].sources[origin.source] = source
            return acknowledge(origin.source, id)
        }
        guard append(accepted.records, done: { self.appended(origin, $0, id) }) else {
            return turnAway(origin, &source, id)
        }
        count(accepted)
        source.waiting.insert(origin.sequence)
        source.highest = max(source.highest, origin.sequence)
        source.expects = nil
        publishers[id, default: .init()].sources[origin.source] = source
    }

    private func appended(_ origin: Origin, _ result: Result<[Offset], LogError>, _ id: SessionID) {
        guard var source = publishers[id]?.sources[origin.source] else { return }
        switch result {
        case .success:
            source.waiting.remove(origin.sequence)
            publishers[id]?.sources[origin.source] = source
            acknowledge(origin.source, id)
        case .failure(let error):
            logFailed(error)
            // It stays in `waiting`: nothing from it on is acknowledged until it has come again and is durable.
            carryOut(
                hub.send(
                    ServerMessage.error(
                        code: error.isFull ? "log_full" : "log_failed", message: "\(error)", source: origin.source,
                        sequence: origin.sequence, retryAfterMilliseconds: 1_000), to: id))
        }
    }

    private func acknowledge(_ name: String, _ id: SessionID) {
        guard var source = publishers[id]?.sources[name] else { return }
        let through = source.through
        if let expected = source.expects, expected <= through { source.expects = nil }
        publishers[id]?.sources[name] = source
        let told = source.rejected.filter { ($0.sequence ?? 0) <= through }
        publishers[id]?.sources[name]?.rejected.removeAll { ($0.sequence ?? 0) <= through }
        carryOut(hub.send(ServerMessage.ack(source: name, through: through, rejected: told), to: id))
    }

    private func turnAway(_ origin: Origin, _ source: inout PublisherSessions.Source, _ id: SessionID) {
        source.expects = min(source.expects ?? origin.sequence, origin.sequence)
        if publishers[id]?.sources[origin.source] != nil { publishers[id]?.sources[origin.source] = source }
        overloaded(origin, id)
    }

    private func overloaded(_ origin: Origin, _ id: SessionID) {
        metrics.overloaded += 1
        carryOut(
            hub.send(
                ServerMessage.error(
                    code: "overloaded", message: "the log takes no more at the moment; send it again from here on",
                    source: origin.source, sequence: origin.sequence, retryAfterMilliseconds: 250), to: id))
    }

    func count(_ accepted: Gateway.Accepted) {
        metrics.accepted += UInt64(accepted.count)
        for rejection in accepted.rejected { metrics.refuse(rejection.refusal.reason, count: 1) }
    }
}
