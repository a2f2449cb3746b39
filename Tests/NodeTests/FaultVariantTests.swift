import ChaosSimulation
import Testing

@testable import Node

@Suite struct FaultVariantTests {
    @Test func `a node can do wrong what the simulation says that nodes can`() {
        let known = Set(Variant.allCases.filter { $0.scenario != nil }.map(\.rawValue))
        #expect(Set(FaultVariant.allCases.map(\.rawValue)) == known)
    }
}
