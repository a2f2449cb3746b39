import Sharding

/// Nodes with the real membership core on a simulated network, under a simulated clock: a second shell around the same
/// core. Packets and frames are encoded and decoded for real. One seed makes one history.
package struct SimulatedCluster {
    enum Happening {
        case arrival(node: Int, life: Int, Membership.Event)
        case tick(node: Int, life: Int)
        case stall(node: Int, life: Int)
        case resume(node: Int, life: Int)
    }

    package private(set) var now = Duration.zero
    package var network = SimulatedNetwork()
    package private(set) var observations: [Observation] = []
    package private(set) var reports: [(node: Int, report: Membership.Report)] = []
    /// Of all nodes, with the headers of IP and UDP or TCP and the seal.
    package private(set) var bytesSent = 0
    package private(set) var departed: Set<Int> = []
    let timing: SwimTiming
    let settings: ClusterSettings
    var nodes: [SimulatedNode]
    var queue = EventQueue<Happening>()
    package var random: SeededRandom
    private let placeOf: [NodeID: Int]
    /// Both ends of each connection.
    private var streams: [(Int, Int)] = []

    /// ms since 1970 when the simulation begins.
    static let epoch: UInt64 = 1_700_000_000_000
    private static let packetOverhead = 28 + 28
    private static let frameOverhead = 40 + 28

    /// - Parameter isFormed: whether all know each other from the start; otherwise they join by way of the first.
    package init(
        nodeCount: Int, timing: SwimTiming = .standard, seed: UInt64, isFormed: Bool = true,
        settings: ClusterSettings = ClusterSettings(["partitions": "64"])
    ) {
        self.timing = timing
        self.settings = settings
        random = SeededRandom(seed: seed)
        let ids = (0..<nodeCount).compactMap { NodeID("n\($0)") }
        placeOf = Dictionary(uniqueKeysWithValues: zip(ids, ids.indices))
        nodes = ids.enumerated().map { SimulatedNode(id: $1, address: Self.address(of: $0)) }
        let claims =
            isFormed
            ? nodes.map { Claim($0.id, .alive, Stamp(boot: Self.epoch, counter: 0), at: $0.address) } : []
        for node in nodes.indices { boot(node, at: Self.epoch, known: claims) }
    }

    static func address(of node: Int) -> PeerAddress { PeerAddress(ipv4: 0x0A00_0000 + UInt32(node), port: 7_946) }
    private func place(at address: PeerAddress) -> Int? {
        guard let ipv4 = address.ipv4, ipv4 >= 0x0A00_0000 else { return nil }
        let place = Int(ipv4 - 0x0A00_0000)
        return place < nodes.count ? place : nil
    }

    // MARK: Faults

    mutating func boot(_ node: Int, at boot: UInt64, known: [Claim] = [], settings: ClusterSettings? = nil) {
        nodes[node].life += 1
        nodes[node].membership = Membership(
            nodes[node].id, at: nodes[node].address, boot: boot, settings: settings ?? self.settings, timing: timing,
            known: known)
        nodes[node].scheduled = .never
        nodes[node].inbox = []
        nodes[node].isStalled = false
        let seeds = nodes.indices.filter { $0 != node }.prefix(3).map { nodes[$0].address }
        hand(.start(seeds: Array(seeds)), to: node)
        if nodes[node].starvation != nil { queue.add(.stall(node: node, life: nodes[node].life), at: now) }
    }

    package enum Crash: Sendable {
        /// kill −9: its machine refuses what comes.
        case process
        /// It falls silent.
        case machine
    }
    package mutating func crash(_ node: Int, _ crash: Crash = .machine) {
        nodes[node].membership = nil
        nodes[node].life += 1
        nodes[node].refuses = crash == .process
    }

    /// - Parameter wallOffset: how far the clock that tells the boot time is ahead; it may have gone back.
    package mutating func restart(_ node: Int, wallOffset: Duration = .zero, settings: ClusterSettings? = nil) {
        let wall = Int64(Self.epoch) + (now + wallOffset).milliseconds
        boot(node, at: UInt64(max(0, wall)), settings: settings)
    }

    package mutating func leave(_ node: Int) { hand(.leave, to: node) }
    package mutating func reset(connectionOf node: Int, to peer: Int) { hand(.peerReset(nodes[peer].id), to: node) }
    package mutating func refuse(_ node: Int, by peer: Int) { hand(.peerRefused(nodes[peer].id), to: node) }
    package mutating func jumpClock(of node: Int, by offset: Duration) { nodes[node].clockOffset += offset }

    package mutating func starve(_ node: Int, _ starvation: Starvation?) {
        nodes[node].starvation = starvation
        if starvation != nil { queue.add(.stall(node: node, life: nodes[node].life), at: now) }
    }

    package mutating func publish(_ table: NodeTable, from node: Int) throws(NodeTableError) {
        guard let clock = nodes[node].membership.map({ _ in now + nodes[node].clockOffset }) else { return }
        guard let effects = try nodes[node].membership?.publish(table, at: clock, using: &random) else { return }
        carryOut(effects, of: node)
    }

    package mutating func hand(raw bytes: [UInt8], to node: Int, from source: Int) {
        hand(.datagram(bytes, from: nodes[source].address), to: node)
    }

    // MARK: Questions

    package var nodeCount: Int { nodes.count }
    package func id(of node: Int) -> NodeID { nodes[node].id }
    package func isUp(_ node: Int) -> Bool { nodes[node].membership != nil && !departed.contains(node) }
    package func health(of node: Int) -> Int { nodes[node].membership?.healthScore ?? 0 }
    package func isStarved(_ node: Int) -> Bool { nodes[node].starvation != nil }
    package func members(seenBy node: Int) -> [Membership.Member] { nodes[node].membership?.members ?? [] }
    package func member(_ subject: Int, seenBy node: Int) -> Membership.Member? {
        nodes[node].membership?.member(nodes[subject].id)
    }
    package func believesDead(_ subject: Int, by node: Int) -> Bool {
        (member(subject, seenBy: node)?.status ?? .left) > .suspect
    }
    /// Whether each node that runs sees those that run as alive, and no other.
    package var agrees: Bool {
        let up = nodes.indices.filter(isUp)
        let expected = Set(up.map { nodes[$0].id })
        return up.allSatisfy { node in
            let members = members(seenBy: node)
            return Set(members.filter { $0.status == .alive }.map(\.id)) == expected
                && !members.contains { $0.status == .suspect }
        }
    }

    // MARK: Time

    package mutating func run(for duration: Duration) { run(until: now + duration) { _ in false } }

    /// - Returns: whether `isDone` came true; it is asked each `step`.
    @discardableResult
    package mutating func run(
        atMost duration: Duration, step: Duration = .milliseconds(5), until isDone: (SimulatedCluster) -> Bool
    ) -> Bool {
        let end = now + duration
        while now < end {
            if isDone(self) { return true }
            run(until: min(end, now + step)) { _ in false }
        }
        return isDone(self)
    }

    private mutating func run(until end: Duration, _ isDone: (SimulatedCluster) -> Bool) {
        while let next = queue.nextTime, next <= end, let (time, happening) = queue.popFirst() {
            now = time
            happen(happening)
        }
        now = end
    }

    private mutating func happen(_ happening: Happening) {
        switch happening {
        case .arrival(let node, let life, let event) where nodes[node].life == life: arrive(event, at: node)
        case .tick(let node, let life) where nodes[node].life == life && nodes[node].scheduled == now:
            nodes[node].scheduled = .never
            if !nodes[node].isStalled { hand(.tick, to: node) }
        case .stall(let node, let life) where nodes[node].life == life: stall(node)
        case .resume(let node, let life) where nodes[node].life == life: resume(node)
        case .arrival, .tick, .stall, .resume: break
        }
    }

    private mutating func arrive(_ event: Membership.Event, at node: Int) {
        guard nodes[node].isStalled else { return hand(event, to: node) }
        if nodes[node].inbox.count < SimulatedNode.inboxMax { nodes[node].inbox.append(event) }
    }

    private mutating func stall(_ node: Int) {
        guard let starvation = nodes[node].starvation, !nodes[node].isStalled else { return }
        nodes[node].isStalled = true
        let pause = Starvation.draw(starvation.stall, using: &random)
        queue.add(.resume(node: node, life: nodes[node].life), at: now + pause)
    }

    private mutating func resume(_ node: Int) {
        nodes[node].isStalled = false
        let waiting = nodes[node].inbox
        nodes[node].inbox = []
        for event in waiting { handWaiting(event, to: node) }
        hand(.tick, to: node)
        guard let starvation = nodes[node].starvation else { return }
        let slice = Starvation.draw(starvation.run, using: &random)
        queue.add(.stall(node: node, life: nodes[node].life), at: now + slice)
    }

    // MARK: The shell

    private mutating func hand(_ event: Membership.Event, to node: Int) {
        hand(event, to: node, at: now + nodes[node].clockOffset)
    }

    private mutating func handWaiting(_ event: Membership.Event, to node: Int) {
        let clock = now + nodes[node].clockOffset
        hand(event, to: node, at: nodes[node].membership?.arrival(at: clock) ?? clock)
    }

    private mutating func hand(_ event: Membership.Event, to node: Int, at clock: Duration) {
        guard let effects = nodes[node].membership?.handle(event, at: clock, using: &random) else { return }
        carryOut(effects, of: node)
    }

    private mutating func carryOut(_ effects: [Membership.Effect], of node: Int) {
        for effect in effects {
            switch effect {
            case .send(let bytes, let address): send(bytes, from: node, to: address)
            case .open(let address, let frame): open(address, frame, from: node)
            case .reply(let stream, let frame, _): reply(frame, on: stream, from: node)
            case .changed(let id, let change):
                note(change, of: id, by: node)
            case .departed: departed.insert(node)
            case .report(let report): reports.append((node, report))
            }
        }
        schedule(node)
    }

    private mutating func note(_ change: Membership.Change, of id: NodeID, by node: Int) {
        guard let subject = placeOf[id] else { return }
        let believed = nodes[node].membership?.member(id)?.incarnation.boot
        let isFalse = change == .died && isUp(subject) && believed == nodes[subject].membership?.incarnation.boot
        observations.append(
            Observation(time: now, observer: node, subject: subject, change: change, isFalseDeath: isFalse))
    }

    private mutating func schedule(_ node: Int) {
        guard let deadline = nodes[node].membership?.deadline, deadline < .never else { return }
        let due = max(now, deadline - nodes[node].clockOffset)
        guard due < nodes[node].scheduled else { return }
        nodes[node].scheduled = due
        queue.add(.tick(node: node, life: nodes[node].life), at: due)
    }

    private mutating func send(_ bytes: [UInt8], from node: Int, to address: PeerAddress) {
        precondition(bytes.count <= Packet.bytesMax, "a packet of \(bytes.count) bytes is too large")
        bytesSent += bytes.count + Self.packetOverhead
        guard let target = place(at: address), network.carries(from: node, to: target), isLucky() else { return }
        guard nodes[target].membership != nil else { return refuse(node, by: target, isCertain: false) }
        let event = Membership.Event.datagram(bytes, from: nodes[node].address)
        queue.add(
            .arrival(node: target, life: nodes[target].life, event), at: now + network.delay(using: &random))
    }

    private mutating func isLucky() -> Bool { Double.random(in: 0..<1, using: &random) >= network.loss }

    /// What the machine of a process that ended says to whoever sent something there.
    /// - Parameter isCertain: over TCP, which loses nothing.
    private mutating func refuse(_ node: Int, by target: Int, isCertain: Bool) {
        guard nodes[target].refuses, network.carries(from: target, to: node), isCertain || isLucky() else { return }
        queue.add(
            .arrival(node: node, life: nodes[node].life, .peerRefused(nodes[target].id)),
            at: now + network.delay(using: &random))
    }

    private mutating func open(_ address: PeerAddress, _ frame: [UInt8], from node: Int) {
        guard let target = place(at: address) else { return }
        streams.append((node, target))
        carry(frame, on: Membership.StreamID(streams.count - 1), from: node, to: target)
    }

    private mutating func reply(_ frame: [UInt8], on stream: Membership.StreamID, from node: Int) {
        let (one, other) = streams[stream.number]
        carry(frame, on: stream, from: node, to: one == node ? other : one)
    }

    /// A connection needs both ways to be open.
    private mutating func carry(_ frame: [UInt8], on stream: Membership.StreamID, from node: Int, to target: Int) {
        guard network.carries(from: node, to: target), network.carries(from: target, to: node) else { return }
        guard nodes[target].membership != nil else { return refuse(node, by: target, isCertain: true) }
        bytesSent += frame.count + Self.frameOverhead
        let event = Membership.Event.frame(frame, on: stream, from: nodes[node].address)
        let delay = network.delay(using: &random) + network.delay(using: &random)
        queue.add(.arrival(node: target, life: nodes[target].life, event), at: now + delay)
    }
}

extension Duration {
    /// Rounded towards zero.
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
    /// s.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
