import Simulation

/// `slipstream-chaos simulate`: runs seeds, says what they covered and how fast, and how the first one that failed did.
package struct SimulateCommand {
    private var seeds: UInt64 = 200
    private var only: UInt64?
    private var isJSON = false
    private var variant: Variant?
    private var showsVariants = false
    private var problem: String?

    package static let help = """
        slipstream-chaos simulate [--seeds N] [--seed N] [--json] [--variant NAME | --variants]
          --seeds N       how many histories to run, from seed 0 on (200)
          --seed N        runs this one and prints its faults and its trace
          --json          prints figures as one line of JSON
          --variant NAME  runs the cluster with one thing done wrong
          --variants      for each of them: how many seeds until it is caught
        """

    package init(_ arguments: some Sequence<String>) {
        var rest = Array(arguments)[...]
        while let name = rest.popFirst() {
            switch name {
            case "--seeds": seeds = number(rest.popFirst(), name) ?? seeds
            case "--seed": only = number(rest.popFirst(), name)
            case "--json": isJSON = true
            case "--variants": showsVariants = true
            case "--variant":
                variant = rest.popFirst().flatMap(Variant.init(rawValue:))
                if variant == nil { problem = "--variant must be one of \(Variant.allCases.map(\.rawValue))" }
            default: problem = "\(name) is no option"
            }
        }
    }

    private mutating func number(_ text: String?, _ name: String) -> UInt64? {
        let number = text.flatMap(UInt64.init)
        if number == nil { problem = "\(name) \(text ?? "") must be a whole number" }
        return number
    }

    /// - Parameter elapsed: runs its argument and says how many seconds that took.
    /// - Returns: whether all was well.
    package func run(print: @escaping (String) -> Void, elapsed: (() -> Void) -> Double) -> Bool {
        if let problem {
            print(problem)
            print(Self.help)
            return false
        }
        if let only { return replay(only, print) }
        if showsVariants { return runVariants(print) }
        var tally = Tally()
        let time = elapsed {
            for seed in 0..<seeds {
                let result = ClusterSimulation.run(seed: seed, variant: variant)
                tally.add(result)
                if result.violation != nil, tally.failures.count == 1, !isJSON { explain(result, print) }
            }
        }
        print(isJSON ? tally.json(seconds: time) : tally.text(seconds: time))
        return tally.failures.isEmpty
    }

    private func replay(_ seed: UInt64, _ print: (String) -> Void) -> Bool {
        let result = ClusterSimulation.run(seed: seed, variant: variant, keepsTrace: true)
        for line in result.trace { print(line) }
        print(result.violation.map { "seed \(seed) fails: \($0)" } ?? "seed \(seed) is clean, \(result.events) events")
        return result.violation == nil
    }

    private func explain(_ result: SimulationResult, _ print: (String) -> Void) {
        let least = ClusterSimulation.minimal(result, variant: variant)
        print("seed \(result.seed) fails: \(result.violation ?? "")")
        print("with these faults alone: \(least.violation ?? "")")
        for fault in least.faults { print("  \(fault)") }
        print("the last of what happened:")
        for line in least.trace.suffix(60) { print("  \(line)") }
    }

    private func runVariants(_ print: (String) -> Void) -> Bool {
        var areCaught = true
        for variant in Variant.allCases {
            let caught = (0..<seeds).first { ClusterSimulation.run(seed: $0, variant: variant).violation != nil }
            print("\(variant.rawValue): " + (caught.map { "caught after \($0 + 1) seeds" } ?? "not caught"))
            if caught == nil { areCaught = false }
        }
        return areCaught
    }
}

private struct Tally {
    var failures: [(seed: UInt64, violation: String)] = []
    private var count = 0
    private var simulated = 0.0
    private var events = 0
    private var kinds: [FaultKind: Int] = [:]

    mutating func add(_ result: SimulationResult) {
        count += 1
        simulated += result.simulated.inSeconds
        events += result.events
        for fault in result.faults { kinds[fault.kind, default: 0] += 1 }
        if let violation = result.violation { failures.append((result.seed, violation)) }
    }

    func text(seconds: Double) -> String {
        let coverage = FaultKind.allCases.map { "\($0.rawValue) \(kinds[$0] ?? 0)" }.joined(separator: ", ")
        let failed = failures.prefix(20).map { "  seed \($0.seed): \($0.violation)" }
        return
            ([
                """
                \(count) seeds in \(rounded(seconds)) s: \(rounded(Double(count) / seconds)) seeds/s, \
                \(rounded(simulated / seconds)) × real time, \(events) events
                faults: \(coverage)
                \(failures.isEmpty ? "clean" : "\(failures.count) failed")
                """
            ] + failed).joined(separator: "\n")
    }

    func json(seconds: Double) -> String {
        let coverage = FaultKind.allCases.map { "\"\($0.rawValue)\":\(kinds[$0] ?? 0)" }.joined(separator: ",")
        return """
            {"seeds":\(count),"seconds":\(rounded(seconds)),"seeds_per_second":\(rounded(Double(count) / seconds)),\
            "simulated_per_real":\(rounded(simulated / seconds)),"failed":[\(failures.map { "\($0.seed)" }.joined(separator: ","))],\
            "faults":{\(coverage)}}
            """
    }

    private func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
