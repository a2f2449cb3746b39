import Client
import Delivery
import JSON
import Replication
import Sharding
import Simulation
import Telemetry

/// A whole cluster in one thread: nodes, log, network, clients and publishers under one clock. One seed makes one
/// history; a second history with some of the faults left out is the same up to the first of them.
final class ClusterWorld {
    final class Wire {
        let client: Int
        let id: ConnectionID
        let node: Int
        let life: Int
        let session: SessionID
        var isOpen = false
        var nodeIsGone = false
        var clientIsGone = false
        /// When something arrived at the client.
        var heard = Duration.zero
        var toNode = Pipe<[UInt8]>()
        var toClient = Pipe<[UInt8]>()
        /// Per stream and kind: what the client was sent last since it last asked for something.
        var latest: [StreamID: [UInt64]] = [:]

        init(client: Int, id: ConnectionID, node: SimulatedNode, session: SessionID) {
            (self.client, self.id, self.session) = (client, id, session)
            (self.node, life) = (node.number, node.life)
        }
    }

    final class PeerLink {
        let follower: Int
        let followerLife: Int
        let node: Int
        let life: Int
        var isDead = false
        var heard: Duration
        var toNode = Pipe<LinkMessage>()
        var toFollower = Pipe<LinkMessage>()

        init(from follower: SimulatedNode, to node: SimulatedNode, at now: Duration) {
            (self.follower, followerLife) = (follower.number, follower.life)
            (self.node, life) = (node.number, node.life)
            heard = now
        }
    }

    let seed: UInt64
    let faults: [Fault]
    let variant: Variant?
    let partitions = 6
    let replicas = 2
    let log: MemoryLog
    let oracle: Oracle
    let decoder = RecordDecoder()
    let parser = JSONParser()
    let reader = ReaderBox()
    let settings = ClusterSettings(["partitions": "6"])
    var random: SeededRandom
    var now = Duration.zero
    var queue = HappeningQueue()
    var network = Network()
    var nodes: [SimulatedNode] = []
    var wires: [Wire] = []
    var links: [PeerLink] = []
    var clients: [SimulatedClient] = []
    var placeOf: [NodeID: Int] = [:]
    var batch = LogBatch()
    var outputs = OutputBatch()
    /// What was found to be wrong, first.
    var violation: String?
    var trace: [String] = []
    let keepsTrace: Bool
    var attempts = 0
    var lastRecord: UInt64 = 0
    /// Kinds of fault so far.
    var beganFaults: Set<FaultKind> = []
    var faultyAppends = (errors: 0, ambiguous: 0)
    /// Shards of which some replica could not have all.
    var hasLost: Set<Int> = []
    /// Both ends of each connection between nodes for gossip.
    var streams: [(Int, Int)] = []
    var tornSnapshots: Set<Int> = []
    var crashInPromotion: Set<Int> = []
    var span: Duration { .seconds(16) }
    var events = 0
    /// Clients beyond the usual six.
    var crowd = 0

    init(seed: UInt64, faults: [Fault], variant: Variant? = nil, keepsTrace: Bool = false) {
        self.seed = seed
        self.faults = faults
        self.variant = variant
        self.keepsTrace = keepsTrace
        random = SeededRandom(seed: seed ^ 0x5EED)
        log = MemoryLog(topic: "telemetry.chassis", partitionCount: partitions)
        oracle = Oracle(partitions: partitions, tracks: .builtIn)
        let count = Int.random(in: 3...5, using: &random)
        for number in 0..<count {
            nodes.append(SimulatedNode(number: number, tracks: .builtIn))
            placeOf[nodes[number].id] = number
        }
        for number in 0..<count {
            queue.add(.boot(number, wipes: false), at: .milliseconds(Int.random(in: 0...500, using: &random)))
        }
        for number in 0..<6 { addClient(number) }
        crowd = Crowd.size(of: seed, faults)
        for number in 6..<6 + crowd { addToCrowd(number) }
        for (index, fault) in faults.enumerated() {
            queue.add(.fault(index, begins: true), at: fault.at)
            queue.add(.fault(index, begins: false), at: fault.at + fault.duration)
        }
        queue.add(.check, at: span)
    }

    func note(_ text: @autoclosure () -> String) {
        guard keepsTrace else { return }
        trace.append("\(seconds(now)) \(text())")
    }

    func violate(_ text: String) {
        if violation == nil {
            violation = "\(seconds(now)): \(text)"
            note("VIOLATION \(text)")
        }
    }

    /// How long a cluster has to come to rest once the faults are over.
    static let patience = Duration.seconds(40)

    /// Runs until all is as it should be, or something is not.
    func run() {
        defer { nodes.forEach(end) }
        while violation == nil, let (time, happening) = queue.popFirst() {
            now = time
            events += 1
            if case .check = happening {
                guard let reason = unrest else { return note("at rest") }
                guard now < span + Self.patience else {
                    return violate("not at rest \(seconds(Self.patience)) after the faults: \(reason)")
                }
                queue.add(.check, at: now + .milliseconds(250))
            } else {
                happen(happening)
            }
        }
    }

    func happen(_ happening: Happening) {
        switch happening {
        case .fault(let index, let begins): begins ? begin(faults[index]) : end(faults[index])
        case .node(let number, let life, let event): nodeEvent(number, life, event, happening)
        case .link(let number, let toFollower): moveLink(number, toFollower: toFollower)
        case .wire(let number, let toNode): toNode ? moveToNode(number) : moveToClient(number)
        case .opened(let number): wireOpened(number)
        case .lost(let number, let atNode): atNode ? wireLostAtNode(number) : wireLostAtClient(number)
        case .wake(let client): wake(client)
        case .publish(let client): publishSome(client)
        case .boot(let number, let wipes): boot(number, wipes: wipes)
        case .check: break
        }
    }

    private func nodeEvent(_ number: Int, _ life: Int, _ event: NodeEvent, _ happening: Happening) {
        let node = nodes[number]
        guard node.life == life, node.process != nil else { return }
        if case .resume = event { return resume(node) }
        if case .starve = event { return starve(node) }
        guard !node.isPaused else {
            if node.held.count < 5_000 { node.held.append(happening) }
            return
        }
        switch event {
        case .membership(let event): hand(event, to: node)
        case .tick:
            guard node.process?.scheduledTick == now else { return }
            node.process?.scheduledTick = .never
            hand(.tick, to: node)
        case .serve: serve(node)
        case .decide: decide(node)
        case .fold(let shard): fold(node, shard)
        case .restored(let shard, let attempt): restored(node, shard, attempt)
        case .append(let session, let origin, let record, let lane): append(node, session, origin, record, lane)
        case .appended(let session, let origin, let stored, let lane): appended(node, session, origin, stored, lane)
        case .replay(let request, let until): replay(node, request, until: until)
        case .linkLost(let peer, let link): linkLost(node, peer, link)
        case .stop: stop(node)
        case .resume, .starve: break
        }
    }

    func schedule(_ event: NodeEvent, _ node: SimulatedNode, after delay: Duration) {
        queue.add(.node(node.number, life: node.life, event), at: now + delay)
    }

    func draw(_ milliseconds: ClosedRange<Int>) -> Duration {
        .microseconds(Int.random(in: milliseconds.lowerBound * 1_000...milliseconds.upperBound * 1_000, using: &random))
    }

    var timestamp: Timestamp { Timestamp(microseconds: micro(now)) }
    func wall(_ node: SimulatedNode) -> Timestamp {
        Timestamp(microseconds: 1_760_000_000_000_000 + micro(now + node.clockOffset))
    }
}

func micro(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
}
