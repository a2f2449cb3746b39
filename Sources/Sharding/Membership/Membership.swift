/// One node's belief about who is alive, and the tables they publish. Pure: a recorded list of events replays exactly.
///
/// SWIM with Lifeguard: each node probes one other per interval, asks go-betweens when that one does not answer, and then
/// says that it is suspect; a suspect that does not deny it in time is dead, and sooner when its machine says that its
/// process is gone. What changes rides on the probes as gossip.
/// Beyond the papers: a suspicion heard of is checked by a few who hear it, news does not wait for the next round, a
/// node that stood still accuses nobody, the dead are asked now and then whether they are, and restarts supersede.
///
/// A shell drives it from one thread: hand every datagram and frame that has arrived to `handle` *before* a `.tick` (an
/// answer that waits in the socket is no silence), carry out the effects in order, call `.tick` again at `deadline`.
///
/// Sources: Das, Gupta, Motivala, "SWIM" (2002); Dadgar, Phillips, Currey, "Lifeguard: Local Health Awareness for More
/// Accurate Failure Detection" (2018); the timing rules of hashicorp/memberlist.
package struct Membership: Sendable {
    /// Since some fixed instant of the process, always growing. Never wall time: that goes into `Stamp.boot` only.
    package typealias Moment = Duration

    enum Life: Sendable { case idle, running, leaving(until: Moment), left }

    struct Peer: Sendable {
        var claim: Claim
        /// Of the status.
        var since: Moment
        var tableVersion = Stamp.zero
        var table: [UInt8] = []
        var isAlive: Bool { claim.status <= .suspect }
    }

    package let own: NodeID
    package let settings: ClusterSettings
    package let timing: SwimTiming
    let cluster: UInt64
    var life = Life.idle
    /// This node's own entry is here as well.
    var peers: [NodeID: Peer]
    /// How many of `peers` are alive or suspect, this node with them.
    var aliveCount = 1
    var suspicions: [NodeID: Suspicion] = [:]
    var order = ProbeOrder()
    var health: LocalHealth
    var probe: Probe?
    var relays: [UInt32: Relay] = [:]
    var lastSequence: UInt32 = 0
    var queue = BroadcastQueue()
    var fetches: [NodeID: TableFetch] = [:]
    var seeds: [PeerAddress] = []
    /// With whom to exchange everything next; by chance when `nil`.
    var syncPartner: NodeID?
    var nextProbe = Moment.zero
    var nextGossip = Moment.zero
    var nextSync = Moment.zero
    var nextReconnect = Moment.zero
    /// When a node of which only a ping is known may be greeted again.
    var nextStranger = Moment.zero
    /// When to call `.tick` at the latest; changes with every event.
    package private(set) var deadline = Moment.never

    /// - Parameters:
    ///   - boot: ms since 1970 now; see `Stamp`.
    ///   - known: nodes to start from, as found in an earlier life; believed until contradicted.
    package init(
        _ own: NodeID, at address: PeerAddress, boot: UInt64, settings: ClusterSettings, timing: SwimTiming = .standard,
        known: [Claim] = []
    ) {
        self.own = own
        self.settings = settings
        self.timing = timing
        cluster = settings.hash
        health = LocalHealth(max: timing.healthMax)
        peers = [own: Peer(claim: Claim(own, .alive, Stamp(boot: boot, counter: 0), at: address), since: .zero)]
        for claim in known where claim.node != own && claim.status == .alive {
            peers[claim.node] = Peer(claim: claim, since: .zero)
        }
        aliveCount = peers.count
    }

    private var nextDue: Moment {
        let gossip = queue.isEmpty ? Moment.never : nextGossip
        switch life {
        case .idle, .left: return .never
        case .leaving(let until): return min(until, gossip)
        case .running: break
        }
        var due = min(probe?.deadline ?? nextProbe, gossip, nextSync, nextReconnect)
        for suspicion in suspicions.values {
            due = min(due, suspicion.deadline, suspicion.refusalDue, timing.verifiers > 0 ? suspicion.askAt : .never)
        }
        for relay in relays.values { due = min(due, relay.deadline) }
        for fetch in fetches.values { due = min(due, fetch.retryAt) }
        return due
    }

    package mutating func handle(
        _ event: Event, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect] {
        var effects: [Effect] = []
        if case .left = life { return effects }
        if let pause = noticePause(at: now) { effects.append(.report(.paused(pause))) }
        switch event {
        case .start(let seeds): start(seeds: seeds, at: now, using: &random, into: &effects)
        case .tick: break
        case .datagram(let bytes, let source): receive(bytes, from: source, at: now, using: &random, into: &effects)
        case .frame(let bytes, let stream, let source):
            receiveFrame(bytes, on: stream, from: source, at: now, using: &random, into: &effects)
        case .peerReset(let node): hearReset(of: node, at: now, using: &random, into: &effects)
        case .peerRefused(let node): hearRefusal(by: node, at: now, using: &random, into: &effects)
        case .unreadableFrame(let stream, let source):
            refuse(.key, node: nil, on: stream, from: source, into: &effects)
        case .leave: leave(at: now, into: &effects)
        }
        tick(at: now, using: &random, into: &effects)
        deadline = nextDue
        return effects
    }
}

extension Duration {
    /// Later than any process lives.
    package static var never: Duration { .seconds(1 << 40) }
}
