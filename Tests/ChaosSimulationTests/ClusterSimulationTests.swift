import ChaosSimulation
import Testing

@Suite struct ClusterSimulationTests {
    @Test func `a cluster without faults comes to rest, and so does one seed twice in the same way`() {
        let first = ClusterSimulation.run(seed: 1, faults: [], keepsTrace: true)
        let second = ClusterSimulation.run(seed: 1, faults: [], keepsTrace: true)
        #expect(first.violation == nil)
        #expect(first.trace == second.trace)
    }
}
