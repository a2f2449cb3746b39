import Client
import Delivery
import Simulation
import Telemetry
import Testing

/// A program that subscribes, handles updates one by one, and dies now and then with nothing but its positions kept.
private struct Program {
    var world: World<SubscriptionSession, FeedNode>
    let request: SubscribeRequest
    private var waiting: [Update] = []
    private var isPaused = false
    private(set) var error: SlipstreamError?
    /// Per stream and kind: what was handled.
    private(set) var handled: [StreamID: [OutputKind: [UInt64]]] = [:]

    init(_ request: SubscribeRequest, _ node: FeedNode, using random: inout SeededRandom) {
        self.request = request
        world = World(SubscriptionSession(request, urlCount: 2, timing: Timing()), node)
        world.start(using: &random)
    }

    mutating func receive() {
        for output in world.takeOutputs() {
            switch output {
            case .deliver(let update): waiting.append(update)
            case .end(let error): self.error = error
            }
        }
    }

    mutating func handleOne() {
        guard !waiting.isEmpty else { return }
        let update = waiting.removeFirst()
        switch update {
        case .telemetry(let telemetry):
            for point in telemetry.points {
                #expect(point["n"] == Double(point.seq))
                note(.point, point.seq, update)
            }
        case .insight: note(.insight, update.seq, update)
        case .alerts: note(.alert, update.seq, update)
        case .resync: Issue.record("a resync without a reason")
        }
        world.session.finish(update)
    }

    private mutating func note(_ kind: OutputKind, _ seq: UInt64, _ update: Update) {
        guard let stream = StreamID(update.stream) else { return }
        handled[stream, default: [:]][kind, default: []].append(seq)
    }

    /// Everything that is not handled is forgotten.
    mutating func die(using random: inout SeededRandom) {
        var next = request
        let positions = world.session.handled
        if !positions.isEmpty { next.from = .positions(positions) }
        waiting = []
        isPaused = false
        world.restart(SubscriptionSession(next, urlCount: 2, timing: Timing()), using: &random)
    }

    mutating func togglePause(using random: inout SeededRandom) {
        isPaused.toggle()
        let now = world.now
        world.carryOut(isPaused ? world.session.pause() : world.session.resume(at: now), using: &random)
    }

    mutating func step(using random: inout SeededRandom) {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: world.node.say(using: &random)
        case 30..<65: world.moveSome(using: &random)
        case 65..<80: handleOne()
        case 80..<94: world.pass(.milliseconds(Int.random(in: 0...60, using: &random)), using: &random)
        case 94..<96: world.breakOne(using: &random)
        case 96: world.breakAll(using: &random)
        case 97: world.pass(.seconds(2), using: &random)
        case 98: togglePause(using: &random)
        default: if Int.random(in: 0..<4, using: &random) == 0 { die(using: &random) }
        }
        receive()
    }

    /// No more faults; goes on until nothing is left to be done.
    mutating func settle(using random: inout SeededRandom) {
        if isPaused { togglePause(using: &random) }
        world.isHealthy = true
        world.node.isAwkward = false
        for _ in 0..<1_500 {
            world.moveAll(using: &random)
            world.pass(.milliseconds(20), using: &random)
            receive()
            while !waiting.isEmpty { handleOne() }
        }
    }
}

@Suite struct SubscriptionSimulation {
    private func run(
        seed: UInt64, from: From, include: [OutputKind] = OutputKind.allCases, omits: Bool = false
    ) -> Program {
        var random = SeededRandom(seed: seed)
        var node = FeedNode()
        node.omits = omits
        for _ in 0..<Int.random(in: 0...40, using: &random) { node.say(using: &random) }
        let request = SubscribeRequest(
            id: "updates", streams: [.all(.chassis)], include: include, from: from)
        var program = Program(request, node, using: &random)
        for _ in 0..<600 { program.step(using: &random) }
        program.settle(using: &random)
        return program
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `from the earliest on every output is handled once and in order, whatever breaks`(block: UInt64) {
        for seed in Seeds.of(block) {
            let program = run(seed: seed, from: .earliest)
            #expect(program.error == nil, "seed \(seed)")
            for (stream, said) in program.world.node.said {
                for kind in OutputKind.allCases {
                    let expected = said.filter { $0.kind == kind }.map(\.seq)
                    #expect(program.handled[stream]?[kind] ?? [] == expected, "seed \(seed), \(kind) of \(stream)")
                }
            }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `from the latest on nothing is left out after the first and nothing comes twice`(block: UInt64) {
        for seed in Seeds.of(block) {
            let program = run(seed: seed, from: .latest)
            for (stream, said) in program.world.node.said {
                for kind in OutputKind.allCases {
                    let handled = program.handled[stream]?[kind] ?? []
                    let expected = said.filter { $0.kind == kind }.map(\.seq).suffix(handled.count)
                    #expect(handled == Array(expected), "seed \(seed), \(kind) of \(stream)")
                }
            }
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `what a node leaves out is noticed and asked for again`(block: UInt64) {
        var omitted = 0
        for seed in Seeds.of(block) {
            let program = run(seed: seed, from: .earliest, omits: true)
            omitted += program.world.node.omitted
            for (stream, said) in program.world.node.said {
                let expected = said.filter { $0.kind == .point }.map(\.seq)
                #expect(program.handled[stream]?[.point] ?? [] == expected, "seed \(seed), \(stream)")
            }
        }
        #expect(omitted > 0)
    }

    @Test(arguments: 0..<5 as Range<UInt64>)
    func `insights alone are complete too`(block: UInt64) {
        for seed in Seeds.of(block) {
            let program = run(seed: seed, from: .earliest, include: [.insight])
            for (stream, said) in program.world.node.said {
                let expected = said.filter { $0.kind == .insight }.map(\.seq)
                #expect(program.handled[stream]?[.insight] ?? [] == expected, "seed \(seed), \(stream)")
                #expect(program.handled[stream]?[.point] == nil)
            }
        }
    }
}
