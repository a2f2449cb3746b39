extension Membership {
    /// Puts news on its way.
    mutating func spread(_ item: Packet.Item, at now: Moment) {
        queue.add(item)
        if let delay = timing.urgentGossipDelay { nextGossip = min(nextGossip, now + delay) }
    }

    /// Sends a message with as much gossip as fits.
    ///
    /// - Parameter node: to whom, when known: what is said against it comes first, so that it can deny it (Lifeguard,
    ///   section IV-C, "buddy system").
    /// - Parameter first: said before what is in the queue.
    mutating func send(
        _ message: Packet.Message, to address: PeerAddress, node: NodeID?, first: [Packet.Item] = [],
        into effects: inout [Effect]
    ) {
        var writer = WireWriter(reserving: 256)
        Packet(cluster: cluster, sender: own, message: message).writeHead(into: &writer)
        if let node, let peer = peers[node], peer.claim.status != .alive {
            writer.writeRaw(Packet.Item.claim(peer.claim).bytes)
        }
        for item in first { writer.writeRaw(item.bytes) }
        queue.fill(&writer, limit: timing.retransmitLimit(nodes: aliveCount))
        effects.append(.send(writer.bytes, to: address))
    }

    mutating func gossip(
        at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        guard now >= nextGossip, !queue.isEmpty else { return }
        nextGossip = now + timing.gossipInterval
        for peer in pick(timing.gossipFanout, using: &random, where: { _ in true }) where !queue.isEmpty {
            send(.gossip, to: peer.claim.address, node: peer.claim.node, into: &effects)
        }
    }

    /// Up to `count` nodes that are not dead, by chance.
    func pick(
        _ count: Int, using random: inout some RandomNumberGenerator, where isWanted: (Peer) -> Bool
    ) -> [Peer] {
        order.sample(count, using: &random) { node in
            guard node != own, let peer = peers[node], peer.isAlive else { return false }
            return isWanted(peer)
        }.compactMap { peers[$0] }
    }

    mutating func receive(
        _ bytes: [UInt8], from source: PeerAddress, at now: Moment, using random: inout some RandomNumberGenerator,
        into effects: inout [Effect]
    ) {
        let packet: Packet
        do { packet = try Packet(bytes) } catch {
            return effects.append(.report(.malformed(from: source, error)))
        }
        guard packet.cluster == cluster else {
            return effects.append(.report(.foreign(packet.sender, from: source)))
        }
        if !suspicions.isEmpty { suspicions[packet.sender]?.hearSuspect() }
        // Claims first: a table counts only of a node that is known, and news lies in no such order.
        for case .claim(let claim) in packet.items { adopt(claim, at: now, using: &random, into: &effects) }
        for case .table(let node, let version) in packet.items {
            hear(ofTable: node, version, from: source, at: now, into: &effects)
        }
        receive(packet, from: source, at: now, into: &effects)
    }

    private mutating func receive(
        _ packet: Packet, from source: PeerAddress, at now: Moment, into effects: inout [Effect]
    ) {
        switch packet.message {
        case .gossip: break
        case .ping(let sequence, let target):
            guard target == own else { break }
            send(.ack(sequence), to: source, node: packet.sender, first: aboutMyself(to: packet), into: &effects)
            if peers[packet.sender] == nil { greetStranger(source, at: now, into: &effects) }
        case .ack(let sequence): receiveAck(sequence, into: &effects)
        case .nack(let sequence): receiveNack(sequence, from: packet.sender)
        case .pingRequest(let sequence, let target, let address):
            receivePingRequest(sequence, target: target, at: address, from: source, at: now, into: &effects)
        case .tableRequest(let node, let version, let offset):
            sendTable(of: node, newerThan: version, offset: offset, to: source, into: &effects)
        case .tablePiece(let piece): receive(piece, at: now, into: &effects)
        }
    }

    /// That this node is alive, to one that was heard to think otherwise. And always the version of its table: the announcement
    /// is said a few times and may be missed, a round of probes asks everyone.
    private func aboutMyself(to packet: Packet) -> [Packet.Item] {
        var items: [Packet.Item] = []
        if thinksIllOfMe(packet) { items.append(.claim(ownPeer.claim)) }
        if ownPeer.tableVersion > .zero { items.append(.table(own, ownPeer.tableVersion)) }
        return items
    }

    private func thinksIllOfMe(_ packet: Packet) -> Bool {
        packet.items.contains { item in
            if case .claim(let claim) = item { claim.node == own && claim.status != .alive } else { false }
        }
    }
}
