/// Joining, and the exchange of everything that both sides know.
extension Membership {
    mutating func start(
        seeds: [PeerAddress], at now: Moment, using random: inout some RandomNumberGenerator,
        into effects: inout [Effect]
    ) {
        guard case .idle = life else { return }
        life = .running
        self.seeds = seeds.filter { $0 != ownPeer.claim.address }
        order.begin(with: peers.keys.filter { $0 != own }.sorted(), using: &random)
        // Nodes started together should not all probe at the same instant.
        nextProbe = now + timing.probeInterval * Double.random(in: 0..<1, using: &random)
        nextSync = now + timing.syncInterval * Double.random(in: 0.5..<1, using: &random)
        nextReconnect = now + timing.reconnectInterval
        nextGossip = now
        for seed in self.seeds.shuffled(using: &random).prefix(3) { greet(seed, into: &effects) }
    }

    private func greet(_ address: PeerAddress, into effects: inout [Effect]) {
        let known = peers.values.sorted { $0.claim.node < $1.claim.node }
            .map { PeerFrame.Known(claim: $0.claim, table: $0.tableVersion) }
        effects.append(
            .open(address, PeerFrame.hello(PeerFrame.Hello(sender: own, settings: settings, known: known)).bytes))
    }

    /// It knows this node, which has never heard of it: its claim was missed. At most one a second; the others ping again.
    mutating func greetStranger(_ address: PeerAddress, at now: Moment, into effects: inout [Effect]) {
        guard now >= nextStranger else { return }
        nextStranger = now + .seconds(1)
        greet(address, into: &effects)
    }

    mutating func sync(
        at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        guard now >= nextSync else { return }
        nextSync = now + timing.syncPeriod(nodes: aliveCount) * Double.random(in: 0.75..<1.25, using: &random)
        forgetTombstones(at: now)
        let partner = syncPartner.flatMap { peers[$0] } ?? pick(1, using: &random, where: { _ in true }).first
        syncPartner = nil
        if let partner, partner.isAlive { greet(partner.claim.address, into: &effects) }
    }

    /// Looks for those that were lost: seeds while alone (and rarely otherwise, for two halves may both think that they
    /// are the whole), and the dead, who if they are not will deny it.
    mutating func reconnect(
        at now: Moment, using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        guard now >= nextReconnect else { return }
        nextReconnect = now + timing.reconnectInterval * Double.random(in: 0.75..<1.25, using: &random)
        if let seed = seeds.randomElement(using: &random),
            aliveCount == 1 || !isAlive(at: seed) && Int.random(in: 0..<8, using: &random) == 0
        {
            greet(seed, into: &effects)
        }
        let dead = peers.values.filter { $0.claim.status == .dead }.sorted { $0.claim.node < $1.claim.node }
        if let peer = dead.randomElement(using: &random) {
            send(.ping(0, target: peer.claim.node), to: peer.claim.address, node: peer.claim.node, into: &effects)
        }
    }

    private func isAlive(at address: PeerAddress) -> Bool {
        peers.values.contains { $0.isAlive && $0.claim.address == address }
    }

    // MARK: Frames

    mutating func receiveFrame(
        _ bytes: [UInt8], on stream: StreamID, from source: PeerAddress, at now: Moment,
        using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        let frame: PeerFrame
        do { frame = try PeerFrame(bytes) } catch {
            if case .version(let theirs) = error {
                return refuse(
                    .version(joining: theirs, cluster: Packet.version), node: nil, on: stream, from: source,
                    into: &effects)
            }
            return effects.append(.report(.malformed(from: source, error)))
        }
        switch frame {
        case .hello(let hello): answer(hello, on: stream, from: source, at: now, using: &random, into: &effects)
        case .delta(let delta): take(delta, on: stream, at: now, using: &random, into: &effects)
        case .refusal(let refusal): effects.append(.report(.refused(by: source, refusal)))
        }
    }

    func refuse(
        _ refusal: JoinRefusal, node: NodeID?, on stream: StreamID, from source: PeerAddress,
        into effects: inout [Effect]
    ) {
        effects.append(.reply(stream, PeerFrame.refusal(refusal).bytes, isLast: true))
        effects.append(.report(.refusing(node, at: source, refusal)))
    }

    private mutating func answer(
        _ hello: PeerFrame.Hello, on stream: StreamID, from source: PeerAddress, at now: Moment,
        using random: inout some RandomNumberGenerator, into effects: inout [Effect]
    ) {
        if let refusal = settings.difference(of: hello.settings) {
            return refuse(refusal, node: hello.sender, on: stream, from: source, into: &effects)
        }
        for known in hello.known { adopt(known.claim, at: now, using: &random, into: &effects) }
        let theirs = Dictionary(hello.known.map { ($0.claim.node, $0) }, uniquingKeysWith: { first, _ in first })
        var delta = PeerFrame.Delta()
        for peer in peers.values.sorted(by: { $0.claim.node < $1.claim.node }) {
            let node = peer.claim.node
            let known = theirs[node]
            if known.map({ peer.claim.supersedes($0.claim) }) ?? true { delta.claims.append(peer.claim) }
            let version = known?.table ?? .zero
            if peer.tableVersion > version { delta.tables.append(copy(of: peer)) }
            if version > peer.tableVersion, node == own { outdoFormerLife(version, at: now) }
            if version > peer.tableVersion, node != own { delta.wanted.append(node) }
        }
        effects.append(.reply(stream, PeerFrame.delta(delta).bytes, isLast: delta.wanted.isEmpty))
    }

    private mutating func take(
        _ delta: PeerFrame.Delta, on stream: StreamID, at now: Moment, using random: inout some RandomNumberGenerator,
        into effects: inout [Effect]
    ) {
        for claim in delta.claims { adopt(claim, at: now, using: &random, into: &effects) }
        for table in delta.tables {
            if table.node == own {
                outdoFormerLife(table.version, at: now)
            } else {
                store(table, at: now, into: &effects)
            }
        }
        guard !delta.wanted.isEmpty else { return }
        let tables = delta.wanted.compactMap { peers[$0] }.filter { $0.tableVersion > .zero }.map(copy)
        effects.append(.reply(stream, PeerFrame.delta(PeerFrame.Delta(tables: tables)).bytes, isLast: true))
    }

    private func copy(of peer: Peer) -> PeerFrame.TableCopy {
        PeerFrame.TableCopy(node: peer.claim.node, version: peer.tableVersion, bytes: peer.table)
    }
}
