import Simulation

/// A cluster under load, what happens to it and when. Add one to `Scenarios.all`; docs/chaos.md says how.
package struct Scenario: Sendable {
    /// What a machine must have for a scenario to be run.
    package enum Need: String, Sendable, Hashable {
        case root
        /// Also means that nodes run under user ids of their own.
        case iptables
        case faketime
    }

    package let name: String
    package let summary: String
    package var needs: Set<Need> = []
    /// Nodes that are there from the start, and those that `.start` brings later.
    package var nodes = 3
    package var spares = 0
    package var replicas = 2
    package var partitions = 24
    /// Records per second, and chassis they come from.
    package var rate = 2_000
    package var cars = 20
    package var clients = 3
    /// Clients more that take their time over every update.
    package var slowClients = 0
    /// Clients reach nodes through a proxy of ours.
    package var isProxied = false
    /// A small file system of its own for the first node's data.
    package var hasSmallDisk = false
    package var snapshotMilliseconds = 2_000
    package var steps: [Step]
    /// Load goes on for so long after the last step, s.
    package var rest = 5.0
    /// Belongs to the subset for every change.
    package var isShort = false
    /// The longest gap of a stream that passes, s. What happens on purpose counts: all nodes down is a gap.
    package var gapMax = 10.0

    package struct Step: Sendable, Equatable {
        /// Since all clients saw all streams, s.
        package let at: Double
        package let fault: Fault
    }

    package init(_ name: String, _ summary: String, _ steps: [Step]) {
        self.name = name
        self.summary = summary
        self.steps = steps
    }

    /// The same with what `change` changes.
    package func with(_ change: (inout Scenario) -> Void) -> Scenario {
        var copy = self
        change(&copy)
        return copy
    }

    package var length: Double { (steps.map(\.at).max() ?? 0) + rest }

    /// The same drawn from a seed: other nodes in other roles, each step up to 400 ms later. With seed 0 as written.
    package func drawn(from seed: UInt64) -> Scenario {
        guard seed > 0 else { return self }
        var random = SeededRandom(seed: seed)
        let roles = Array(1...nodes).shuffled(using: &random)
        return with { scenario in
            scenario.steps = steps.map { step in
                let late = Double.random(in: 0..<0.4, using: &random)
                // A disk of its own has the first node alone, and spares are nobody else.
                let fault =
                    hasSmallDisk ? step.fault : step.fault.mappingNodes { $0 <= nodes ? roles[$0 - 1] : $0 }
                return Step(at: step.at + late, fault: fault)
            }.sorted { $0.at < $1.at }
        }
    }

    /// The steps again and again until so many seconds are over; once at least.
    package func repeated(for seconds: Double) -> Scenario {
        let rounds = max(1, Int((seconds / length).rounded(.down)))
        return with { scenario in
            scenario.steps = (0..<rounds).flatMap { round in
                steps.map { Step(at: $0.at + Double(round) * length, fault: $0.fault) }
            }
        }
    }
}

/// `at(3, .kill(1))`
package func at(_ seconds: Double, _ fault: Fault) -> Scenario.Step { Scenario.Step(at: seconds, fault: fault) }
