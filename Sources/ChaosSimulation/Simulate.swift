import Simulation

/// One seed's history and what came of it.
package struct SimulationResult: Sendable {
    package let seed: UInt64
    package let faults: [Fault]
    /// What was wrong first; `nil`: nothing.
    package let violation: String?
    package let simulated: Duration
    package let events: Int
    package let trace: [String]
}

package enum ClusterSimulation {
    /// - Parameter kinds: draws of these alone.
    package static func faults(of seed: UInt64, among kinds: [FaultKind]? = nil) -> [Fault] {
        var random = SeededRandom(seed: seed)
        let scattered = kinds.map { $0.filter { $0 != .crowd } } ?? FaultKind.scattered
        let drawn = Fault.draw(within: .seconds(16), among: scattered, using: &random)
        guard kinds?.contains(.crowd) ?? Crowd.comes(with: seed) else { return drawn }
        return (drawn.prefix(1) + [Crowd.draw(using: &random)]).sorted { $0.at < $1.at }
    }

    package static func run(
        seed: UInt64, faults: [Fault]? = nil, among kinds: [FaultKind]? = nil, variant: Variant? = nil,
        keepsTrace: Bool = false
    ) -> SimulationResult {
        let faults = faults ?? Self.faults(of: seed, among: kinds)
        let world = ClusterWorld(seed: seed, faults: faults, variant: variant, keepsTrace: keepsTrace)
        world.run()
        return SimulationResult(
            seed: seed, faults: faults, violation: world.violation, simulated: world.now, events: world.events,
            trace: world.trace)
    }

    /// As few of the faults as still make it fail, found by leaving out one after the other.
    package static func minimal(_ result: SimulationResult, variant: Variant? = nil) -> SimulationResult {
        var least = result
        var index = 0
        while index < least.faults.count {
            var fewer = least.faults
            fewer.remove(at: index)
            let again = run(seed: result.seed, faults: fewer, variant: variant)
            if again.violation == nil { index += 1 } else { least = again }
        }
        return run(seed: result.seed, faults: least.faults, variant: variant, keepsTrace: true)
    }
}
