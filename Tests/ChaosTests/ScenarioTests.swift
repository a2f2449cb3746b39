import ChaosSimulation
import Testing

@testable import Chaos

@Test func `scenarios have names of their own and steps in order`() {
    #expect(Set(Scenarios.all.map(\.name)).count == Scenarios.all.count)
    for scenario in Scenarios.all {
        let times = scenario.steps.map(\.at)
        #expect(times == times.sorted(), "\(scenario.name)")
    }
}

@Test func `every scenario ends with all nodes running and the network whole`() {
    for scenario in Scenarios.all {
        var (down, frozen, isCut): (Set<Int>, Set<Int>, Bool) = ([], [], false)
        for step in scenario.steps {
            switch step.fault {
            case .kill(let node), .drain(let node): down.insert(node)
            case .start(let node): down.remove(node)
            case .freeze(let node): frozen.insert(node)
            case .thaw(let node): frozen.remove(node)
            case .part, .cutOneWay, .cutFromKafka, .lose: isCut = true
            case .heal: isCut = false
            default: break
            }
        }
        #expect(down.isEmpty && frozen.isEmpty && !isCut, "\(scenario.name)")
    }
}

@Test func `the subset for every change needs nothing of the machine`() {
    let short = Scenarios.all.filter(\.isShort)
    #expect(!short.isEmpty)
    #expect(short.allSatisfy { $0.needs.isEmpty })
    // Start and judgement take some 10 s each.
    let seconds = short.map { $0.length + 10 }.reduce(0, +)
    #expect(seconds < 120)
}

@Test func `a seed gives the roles of nodes to others, and the same each time`() {
    let scenario = Scenario("x", "y", [at(1, .kill(1)), at(2, .start(1)), at(3, .part([1], [2, 3]))])
    #expect(scenario.drawn(from: 0).steps == scenario.steps)
    #expect(scenario.drawn(from: 7).steps == scenario.drawn(from: 7).steps)
    let roles = Set(
        (1...50 as ClosedRange<UInt64>).compactMap { scenario.drawn(from: $0).steps.first?.fault.description })
    #expect(roles == ["kill -9 n1", "kill -9 n2", "kill -9 n3"])
}

@Test func `who is killed is who is started, whatever the seed`() {
    let scenario = Scenario("x", "y", [at(1, .kill(2)), at(2, .start(2))])
    for seed in 1...20 as ClosedRange<UInt64> {
        guard case .kill(let killed) = scenario.drawn(from: seed).steps[0].fault else {
            Issue.record("seed \(seed)")
            continue
        }
        #expect(scenario.drawn(from: seed).steps[1].fault == .start(killed))
    }
}

@Test func `a longer run goes through the steps again`() {
    let scenario = Scenario("x", "y", [at(1, .resetClients)]).with { $0.rest = 4 }
    #expect(scenario.repeated(for: 16).steps.map(\.at) == [1, 6, 11])
    #expect(scenario.repeated(for: 1).steps == scenario.steps)
}

@Test func `a record's number is told from that of another run`() {
    let json = RecordNumber.beginning(4_711, of: 12) + Array("\"chassis\":\"A\"}".utf8)
    json.withUnsafeBytes { bytes in
        #expect(RecordNumber.read(bytes, of: 12) == 4_711)
        #expect(RecordNumber.read(bytes, of: 13) == 0)
        #expect(RecordNumber.read(UnsafeRawBufferPointer(rebasing: bytes.prefix(14)), of: 12) == 0)
    }
    Array("{\"chassis\":\"A\"}".utf8).withUnsafeBytes { #expect(RecordNumber.read($0, of: 12) == 0) }
}

@Test func `recovery is from a fault to the end of the gap it made`() {
    var result = ScenarioResult(Scenario("x", "y", []), seed: 0)
    result.moments = [
        .init(at: 1, what: "kill -9 n1", isRelief: false), .init(at: 4, what: "start n1", isRelief: true),
    ]
    let gap = ScenarioResult.Gap(client: "c", stream: "s", start: 1.1, end: 1.9)
    result.take(gaps: [gap], longest: [0.8, 0, 0])
    #expect(abs(result.recovery - 0.9) < 1e-9)
    #expect(result.gapMax == 0.8)
    #expect(result.gapMedian == 0)
}

@Test func `the page needs nothing from elsewhere, and says what failed`() {
    var result = ScenarioResult(Scenario("kill", "a <b> & c", []), seed: 3)
    result.outcome = .failed
    result.reasons = ["n1 \"ended\""]
    result.moments = [.init(at: 1, what: "kill -9 n1", isRelief: false)]
    let page = HTMLReport.page([result])
    #expect(!page.contains("http"))
    #expect(page.contains("a &lt;b> &amp; c"))
    #expect(page.contains("n1 &quot;ended&quot;"))
    #expect(page.contains("kill -9 n1"))
}

@Test func `nodes that do wrong have a scenario to be run in`() {
    let names = Variant.allCases.compactMap(\.scenario)
    #expect(names.count >= 6)
    for name in names { #expect(Scenarios.named(name) != nil, "\(name)") }
}
