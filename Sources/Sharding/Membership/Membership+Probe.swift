extension Membership {
    /// One look at one node.
    struct Probe: Sendable {
        let target: NodeID
        let sequence: UInt32
        /// When to ask go-betweens, first or again.
        var askAt: Moment
        /// Then it was silent.
        let until: Moment
        /// Each go-between says once at most that it is there.
        var silent: Set<NodeID> = []
        var isIndirect = false
        var deadline: Moment { min(askAt, until) }
    }

    /// A ping sent for another node.
    struct Relay: Sendable {
        let origin: PeerAddress
        let sequence: UInt32
        /// Then the origin is told that at least this node is there.
        let deadline: Moment
    }

    mutating func advanceProbe(
        at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        if let current = probe {
            if now >= current.until {
                failProbe(current, at: now, using: &random, into: &effects)
            } else if now >= current.askAt {
                askOthers(current, at: now, using: &random, into: &effects)
            }
        }
        if probe == nil, now >= nextProbe { beginProbe(at: now, using: &random, into: &effects) }
    }

    private mutating func beginProbe(
        at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        nextProbe = now + timing.probeInterval
        let target = order.pop(where: { $0 != own && peers[$0]?.isAlive == true }, using: &random)
        guard let target, let peer = peers[target] else { return }
        probe = Probe(
            target: target, sequence: nextSequence(), askAt: now + health.scale(timing.probeTimeout),
            until: now + health.scale(timing.probePatience))
        send(.ping(lastSequence, target: target), to: peer.claim.address, node: target, into: &effects)
    }

    private mutating func askOthers(
        _ current: Probe, at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        probe?.isIndirect = true
        probe?.askAt = timing.repeatsProbes ? now + timing.probeTimeout : .never
        guard let target = peers[current.target] else { return }
        if timing.repeatsProbes {
            let ping = Packet.Message.ping(current.sequence, target: current.target)
            send(ping, to: target.claim.address, node: current.target, into: &effects)
        }
        // Not one that is suspect itself: in a partition its silence would speak against this node's ears.
        let others = pick(timing.indirectProbes, using: &random) {
            $0.claim.node != current.target && $0.claim.status == .alive
        }
        let request = Packet.Message.pingRequest(current.sequence, target: current.target, at: target.claim.address)
        for other in others {
            if !current.isIndirect { probe?.silent.insert(other.claim.node) }
            send(request, to: other.claim.address, node: other.claim.node, into: &effects)
        }
    }

    private mutating func failProbe(
        _ current: Probe, at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        probe = nil
        // Go-betweens that said nothing at all speak against this node's own ears; without any, so does the silence.
        let silent = current.silent.count { peers[$0]?.claim.status == .alive }
        health.change(by: current.isIndirect ? silent : 1)
        accuse(current.target, at: now, using: &random, into: &effects)
    }

    // MARK: Answers

    mutating func receiveAck(_ sequence: UInt32, into effects: inout [Effect]) {
        if let relay = relays.removeValue(forKey: sequence) {
            send(.ack(relay.sequence), to: relay.origin, node: nil, into: &effects)
        } else if probe?.sequence == sequence {
            probe = nil
            health.change(by: -1)
        }
    }

    mutating func receiveNack(_ sequence: UInt32, from sender: NodeID) {
        if probe?.sequence == sequence { probe?.silent.remove(sender) }
    }

    mutating func receivePingRequest(
        _ sequence: UInt32, target: NodeID, at address: PeerAddress, from source: PeerAddress, at now: Moment,
        into effects: inout [Effect]
    ) {
        guard relays.count < 256 else { return }
        relays[nextSequence()] = Relay(origin: source, sequence: sequence, deadline: now + timing.probeTimeout)
        send(.ping(lastSequence, target: target), to: address, node: target, into: &effects)
    }

    mutating func expireRelays(at now: Moment, into effects: inout [Effect]) {
        guard !relays.isEmpty else { return }
        for (number, relay) in relays.sorted(by: { $0.key < $1.key }) where relay.deadline <= now {
            relays[number] = nil
            send(.nack(relay.sequence), to: relay.origin, node: nil, into: &effects)
        }
    }

    private mutating func nextSequence() -> UInt32 {
        lastSequence &+= 1
        return lastSequence
    }
}
