import ChaosSimulation
import Testing

@Suite struct ClusterSimulationTests {
    @Test(arguments: 0..<4 as Range<UInt64>)
    func `nothing is lost, repeated or out of order, and the cluster comes to rest`(seed: UInt64) {
        #expect(ClusterSimulation.run(seed: seed).violation == nil)
    }

    @Test func `a seed is replayed byte for byte`() {
        let first = ClusterSimulation.run(seed: 5, keepsTrace: true)
        let second = ClusterSimulation.run(seed: 5, keepsTrace: true)
        #expect(first.trace.count > 100)
        #expect(first.trace.joined(separator: "\n").utf8.elementsEqual(second.trace.joined(separator: "\n").utf8))
        #expect(first.events == second.events && first.simulated == second.simulated)
    }

    @Test func `whether anybody looks makes no difference`() {
        let seen = ClusterSimulation.run(seed: 6, keepsTrace: true)
        let unseen = ClusterSimulation.run(seed: 6)
        #expect(seen.events == unseen.events && seen.simulated == unseen.simulated)
        #expect(unseen.trace.isEmpty)
    }

    @Test func `what is wrong is found, and with as few faults as it takes`() throws {
        let result = try #require(
            (0..<20 as Range<UInt64>).lazy.map { ClusterSimulation.run(seed: $0, variant: .skipsAfterRestore) }
                .first { $0.violation != nil })
        let least = ClusterSimulation.minimal(result, variant: .skipsAfterRestore)
        #expect(least.violation != nil)
        #expect(least.faults.count <= result.faults.count)
        #expect(!least.trace.isEmpty)
    }

    @Test func `every kind of fault is drawn, and some variant is there for it`() {
        let drawn = Set((0..<200 as Range<UInt64>).flatMap { ClusterSimulation.faults(of: $0).map(\.kind) })
        #expect(drawn == Set(FaultKind.allCases))
        #expect(Set(Variant.allCases.flatMap(\.faults)) == Set(FaultKind.allCases))
    }

    @Test(arguments: [
        (Variant.condemnsTheLate, FaultKind.delay), (.distrustsRepeats, .duplication), (.opensTheGate, .crowd),
    ])
    func `a variant is found by faults of its kind alone`(variant: Variant, kind: FaultKind) {
        let found = (0..<10 as Range<UInt64>).contains {
            ClusterSimulation.run(seed: $0, among: [kind], variant: variant).violation != nil
        }
        #expect(found)
    }

    @Test func `a crowd whose node dies is served by the others, one behind the other`() {
        let result = ClusterSimulation.run(seed: 1, among: [.crowd])
        #expect(result.violation == nil)
        #expect(result.faults.map(\.kind) == [.crowd])
    }

    @Test func `every variant can be real nodes or there is a reason`() {
        for variant in Variant.allCases {
            #expect((variant.scenario == nil) != (variant.whySimulated == nil), "\(variant)")
        }
    }
}
