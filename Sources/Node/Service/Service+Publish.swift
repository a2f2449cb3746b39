import Delivery
import Replication
import Storage
import Telemetry

extension Service {
    /// Takes a publish. It is answered by an `ack` when it is durable, or by an `error` at once.
    func publish(_ records: UnsafeRawBufferPointer, _ origin: Origin, from id: SessionID) {
        let (name, sequence) = (origin.source, origin.sequence)
        guard publishers[id, default: .init()].admits(name, sequence) else { return overloaded(origin, id) }
        let accepted: Gateway.Accepted
        do throws(Refusal) {
            let stored = node.variant == .forgetsOrigin ? nil : origin
            accepted = try gateway.take(records, as: .json, origin: stored, time: .wall)
        } catch {
            metrics.refuse(error.reason, count: 1)
            publishers[id]?.refused(name)
            return carryOut(
                hub.send(
                    ServerMessage.error(
                        code: error.reason.rawValue, message: error.description, source: name, sequence: sequence),
                    to: id))
        }
        let hasRecords = !accepted.records.isEmpty
        let lane = lane(of: name, id)
        guard !hasRecords || append(accepted.records, in: lane, done: { self.appended(origin, $0, lane, id) }) else {
            publishers[id]?.turnAway(name, sequence)
            return overloaded(origin, id)
        }
        count(accepted)
        let isOffered = hasRecords && node.variant != .acknowledgesFailures
        publishers[id]?.took(name, sequence, rejected: accepted.rejected, isOffered: isOffered)
        if nodesTold[id] == nil { tellNodes(id) }
        if !isOffered { acknowledge(name, id) }
    }

    private func lane(of name: String, _ id: SessionID) -> AppendLane {
        if let lane = lanes[id]?[name] { return lane }
        let lane = AppendLane()
        lanes[id, default: [:]][name] = lane
        return lane
    }

    private func appended(
        _ origin: Origin, _ result: Result<[Offset], LogError>, _ lane: AppendLane, _ id: SessionID
    ) {
        guard publishers[id] != nil else { return }
        switch result {
        case .success:
            publishers[id]?.stored(origin.source, origin.sequence)
            acknowledge(origin.source, id)
        case .failure(let error):
            logFailed(error)
            // One of many that failed together: the first was told, and from it on all come again.
            guard lanes[id]?[origin.source] === lane else { return }
            lanes[id]?[origin.source] = nil
            publishers[id]?.turnAway(origin.source, origin.sequence)
            carryOut(
                hub.send(
                    ServerMessage.error(
                        code: error.publishCode, message: "\(error)", source: origin.source,
                        sequence: origin.sequence, retryAfterMilliseconds: 1_000), to: id))
        }
    }

    private func acknowledge(_ name: String, _ id: SessionID) {
        guard let (through, rejected) = publishers[id]?.acknowledgement(for: name) else { return }
        carryOut(hub.send(ServerMessage.ack(source: name, through: through, rejected: rejected), to: id))
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
