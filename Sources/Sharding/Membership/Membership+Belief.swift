/// Claims: which are believed, what follows from them.
extension Membership {
    var ownPeer: Peer {
        guard let peer = peers[own] else { preconditionFailure("\(own) has lost its own entry") }
        return peer
    }

    mutating func adopt(
        _ claim: Claim, at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        guard claim.node != own else { return answer(claim, at: now, into: &effects) }
        guard let known = peers[claim.node] else { return meet(claim, at: now, using: &random, into: &effects) }
        if claim.supersedes(known.claim) {
            replace(known, with: claim, at: now, using: &random, into: &effects)
        } else if claim.status == .suspect, claim.incarnation == known.claim.incarnation, let accuser = claim.accuser,
            suspicions[claim.node]?.confirm(by: accuser) == true
        {
            spread(.claim(claim), at: now)
        }
    }

    private mutating func meet(
        _ claim: Claim, at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        guard peers.count < PeerFrame.nodesMax else { return }
        let before = Peer(claim: claim.marked(.left), since: now)
        peers[claim.node] = before
        replace(before, with: claim, at: now, using: &random, into: &effects)
    }

    private mutating func replace(
        _ known: Peer, with claim: Claim, at now: Moment, using random: inout some RandomNumberGenerator,
        into effects: inout [Effect]
    ) {
        let (wasAlive, isAlive) = (known.isAlive, claim.status <= .suspect)
        let isNewLife = claim.incarnation.boot != known.claim.incarnation.boot
        aliveCount += (isAlive ? 1 : 0) - (wasAlive ? 1 : 0)
        peers[claim.node]?.claim = claim
        peers[claim.node]?.since = now
        suspicions[claim.node] = nil
        spread(.claim(claim), at: now)
        if isAlive, !wasAlive || isNewLife {
            order.insert(claim.node, using: &random)
            effects.append(.changed(claim.node, .joined))
            if known.claim.status == .dead { meetAgain(claim.node, at: now, using: &random) }
        }
        switch claim.status {
        case .alive where wasAlive && !isNewLife: effects.append(.changed(claim.node, .refuted))
        case .alive: break
        case .suspect: beginSuspicion(claim, at: now, using: &random, into: &effects)
        case .dead where wasAlive: effects.append(.changed(claim.node, .died))
        case .left where wasAlive: effects.append(.changed(claim.node, .left))
        case .dead, .left: fetches[claim.node] = nil
        }
    }

    private mutating func beginSuspicion(
        _ claim: Claim, at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        suspicions[claim.node] = Suspicion(by: claim.accuser ?? own, at: now, nodes: aliveCount, timing: timing)
        effects.append(.changed(claim.node, .suspected))
        // A few look for themselves: their word makes a true suspicion certain, and gives a false one more to deny.
        guard timing.verifiers > 0, claim.accuser != own else { return }
        if Int.random(in: 0..<max(1, aliveCount), using: &random) < timing.verifiers { order.check(claim.node) }
    }

    /// After a partition both sides have news: exchange everything soon, not all at once.
    private mutating func meetAgain(_ node: NodeID, at now: Moment, using random: inout some RandomNumberGenerator) {
        guard syncPartner == nil else { return }
        syncPartner = node
        nextSync = min(nextSync, now + .milliseconds(Int.random(in: 0..<1_000, using: &random)))
    }

    /// This node found `node` silent.
    mutating func accuse(
        _ node: NodeID, at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        guard node != own, let peer = peers[node], peer.isAlive else { return }
        adopt(peer.claim.marked(.suspect, by: own), at: now, using: &random, into: &effects)
    }

    mutating func expireSuspicions(
        at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        let expired = suspicions.filter { $0.value.deadline <= now }.keys.sorted()
        for node in expired {
            guard let claim = peers[node]?.claim else { continue }
            adopt(claim.marked(.dead), at: now, using: &random, into: &effects)
        }
    }

    mutating func askOldSuspects(at now: Moment) {
        guard timing.verifiers > 0 else { return }
        for node in suspicions.keys.sorted() where suspicions[node]?.shouldAsk(at: now) == true { order.check(node) }
    }

    mutating func forgetTombstones(at now: Moment) {
        let forgotten = peers.values.filter { !$0.isAlive && now - $0.since >= timing.tombstoneLifetime }
        for peer in forgotten where peer.claim.node != own { peers[peer.claim.node] = nil }
    }

    // MARK: This node

    /// What others say about this node.
    private mutating func answer(_ claim: Claim, at now: Moment, into effects: inout [Effect]) {
        let mine = ownPeer.claim
        guard claim.incarnation >= mine.incarnation, claim != mine, mine.status != .left else { return }
        if claim.incarnation > mine.incarnation, claim.status == .alive, claim.address != mine.address {
            effects.append(.report(.clash(with: claim.address)))
        }
        if claim.status != .alive {
            if claim.incarnation.boot == mine.incarnation.boot { health.change(by: 1) }
            effects.append(.report(.refuted(claim.status)))
        } else if claim.incarnation == mine.incarnation {
            return
        }
        let denial = Claim(own, .alive, claim.incarnation.next, at: mine.address)
        peers[own]?.claim = denial
        spread(.claim(denial), at: now)
    }

    mutating func leave(at now: Moment, into effects: inout [Effect]) {
        guard case .running = life else {
            if case .idle = life {
                life = .left
                effects.append(.departed)
            }
            return
        }
        life = .leaving(until: now + .seconds(1))
        let goodbye = ownPeer.claim.marked(.left)
        peers[own]?.claim = goodbye
        spread(.claim(goodbye), at: now)
        nextGossip = now
    }

    /// The goodbye was said as often as news is said.
    mutating func departWhenSaid(at now: Moment, into effects: inout [Effect]) {
        guard case .leaving(let until) = life else { return }
        guard now >= until || aliveCount < 2 || !queue.contains(lifeOf: own) else { return }
        life = .left
        effects.append(.departed)
    }
}
