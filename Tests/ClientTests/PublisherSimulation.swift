import Client
import Simulation
import Testing

@Suite struct PublisherSimulation {
    private struct Run {
        var world: World<PublisherSession, LogNode>
        var records = 0
        var publishes: UInt64 = 0
        /// Which elements were bad: publish and index, index `nil` when all of it was.
        var bad: [String] = []
        var rejected: [String] = []
        var error: SlipstreamError?

        init(using random: inout SeededRandom) {
            let session = PublisherSession(source: "test", firstSeq: 1, urlCount: 1, timing: Timing())
            world = World(session, LogNode())
            world.start(using: &random)
        }

        mutating func publish(using random: inout SeededRandom) {
            publishes += 1
            let isAllBad = Int.random(in: 0..<30, using: &random) == 0
            var elements: [String] = []
            for index in 0..<Int.random(in: 1...5, using: &random) {
                if isAllBad || Int.random(in: 0..<20, using: &random) == 0, index > 0 || isAllBad {
                    elements.append("{\"n\":\"x\"}")
                    if !isAllBad { bad.append("\(publishes)/\(index)") }
                } else {
                    elements.append("{\"n\":\(records)}")
                    records += 1
                }
            }
            if isAllBad { bad.append("\(publishes)/nil") }
            let effects = world.session.publish(
                Array("[\(elements.joined(separator: ","))]".utf8), count: elements.count)
            world.carryOut(effects, using: &random)
        }

        mutating func receive() {
            for output in world.takeOutputs() {
                switch output {
                case .settled: break
                case .rejected(let record):
                    rejected.append("\(record.sourceSeq)/\(record.index.map(String.init) ?? "nil")")
                case .end(let error): self.error = error
                }
            }
        }

        mutating func step(using random: inout SeededRandom) {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30: publish(using: &random)
            case 30..<80: world.moveSome(using: &random)
            case 80..<95: world.pass(.milliseconds(Int.random(in: 0...60, using: &random)), using: &random)
            case 95..<97: world.breakOne(using: &random)
            case 97: world.breakAll(using: &random)
            default: if Int.random(in: 0..<3, using: &random) == 0 { world.pass(.seconds(2), using: &random) }
            }
            receive()
        }

        mutating func settle(using random: inout SeededRandom) {
            world.isHealthy = true
            world.node.isAwkward = false
            for _ in 0..<1_500 {
                world.moveAll(using: &random)
                world.pass(.milliseconds(20), using: &random)
                receive()
            }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `every record counts once and every rejection is told once, whatever breaks`(block: UInt64) {
        var repeats = 0
        for seed in Seeds.of(block) {
            var random = SeededRandom(seed: seed)
            var run = Run(using: &random)
            for _ in 0..<800 { run.step(using: &random) }
            run.settle(using: &random)
            #expect(run.error == nil, "seed \(seed)")
            #expect(run.world.session.settledThrough == run.publishes, "seed \(seed)")
            #expect(run.world.session.waitingBytes == 0 && run.world.session.waitingRecords == 0, "seed \(seed)")
            #expect(run.world.node.applied.sorted() == Array(0..<run.records), "seed \(seed)")
            #expect(run.rejected.sorted() == run.bad.sorted(), "seed \(seed)")
            #expect(run.world.node.spanMax < 64, "seed \(seed)")
            repeats += run.world.node.repeats
        }
        #expect(repeats > 0)  // Else nothing was ever sent twice, and this test shows nothing.
    }
}
