/// Evidence that comes without a probe: a connection that broke, a machine that says that nobody listens.
extension Membership {
    /// Its process died, or only lost that connection: it is suspected, and asked.
    mutating func hearReset(
        of node: NodeID, at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        guard node != own, peers[node]?.isAlive == true else { return }
        accuse(node, at: now, using: &random, into: &effects)
        ask(node, into: &effects)
    }

    /// Stronger than silence, as a machine that is merely starved does not say it.
    mutating func hearRefusal(
        by node: NodeID, at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        guard let least = timing.refusedMin, node != own, let peer = peers[node], peer.isAlive else { return }
        // More of the same says nothing; the look at the others goes on.
        if probe?.target == node { probe = nil }
        accuse(node, at: now, using: &random, into: &effects)
        guard suspicions[node]?.refuse(at: now, for: least) == true else { return }
        adopt(peer.claim.marked(.dead), at: now, using: &random, into: &effects)
    }

    mutating func askRefusing(at now: Moment, into effects: inout [Effect]) {
        guard let least = timing.refusedMin else { return }
        for node in suspicions.keys.sorted() where suspicions[node]?.shouldAskAgain(at: now, every: least) == true {
            ask(node, into: &effects)
        }
    }

    /// A ping beside the probes. It carries the suspicion, so that a suspect that lives denies it.
    private mutating func ask(_ node: NodeID, into effects: inout [Effect]) {
        guard let peer = peers[node] else { return }
        send(.ping(0, target: node), to: peer.claim.address, node: node, into: &effects)
    }
}
