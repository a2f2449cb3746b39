import Simulation

/// `slipstream-chaos simulate`: runs seeds, says what they covered and how fast, and how the first one that failed did.
package struct SimulateCommand: Sendable {
    private var seeds: UInt64 = 200
    private var from: UInt64 = 0
    private var only: UInt64?
    private var isJSON = false
    private var variant: Variant?
    private var showsVariants = false
    private var threads: Int

    package static let help = """
        usage: slipstream-chaos simulate [OPTIONS]
          --seeds N       how many histories to run (200)
          --from N        the first one's seed (0)
          --seed N        runs this one and prints its faults and its trace
          --threads N     how many histories at once (default: one per processor)
          --json          prints figures as one line of JSON
          --variant NAME  runs the cluster with one thing done wrong
          --variants      for each of them: how many seeds until it is caught
        """

    /// What was typed makes no sense.
    package struct Misuse: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter threads: how many histories at once, unless the arguments say.
    package init(_ arguments: some Sequence<String>, threads: Int = 1) throws(Misuse) {
        self.threads = threads
        var rest = Array(arguments)[...]
        while let name = rest.popFirst() {
            switch name {
            case "--seeds": seeds = try Self.number(rest.popFirst(), name)
            case "--from": from = try Self.number(rest.popFirst(), name)
            case "--seed": only = try Self.number(rest.popFirst(), name)
            case "--threads": self.threads = Int(try Self.number(rest.popFirst(), name))
            case "--json": isJSON = true
            case "--variants": showsVariants = true
            case "--variant": variant = try Self.variant(rest.popFirst())
            default: throw Misuse(description: "'\(name)' is not understood")
            }
        }
    }

    private static func number(_ text: String?, _ name: String) throws(Misuse) -> UInt64 {
        guard let number = text.flatMap(UInt64.init), number <= 1_000_000_000 else {
            throw Misuse(description: "\(name) is '\(text ?? "")'; it must be in 0…1000000000")
        }
        return number
    }

    private static func variant(_ name: String?) throws(Misuse) -> Variant {
        guard let variant = name.flatMap(Variant.init(rawValue:)) else {
            let names = Variant.allCases.map(\.rawValue).joined(separator: ", ")
            throw Misuse(description: "--variant is '\(name ?? "")'; it must be one of \(names)")
        }
        return variant
    }

    /// - Parameter time: since any fixed instant.
    /// - Returns: whether all was well.
    package func run(print: @escaping @Sendable (String) -> Void, time: () -> Duration) async -> Bool {
        if let only { return replay(only, print) }
        if showsVariants { return await runVariants(print) }
        var tally = Tally()
        let begin = time()
        await each(from..<from + seeds, { ClusterSimulation.run(seed: $0, variant: variant) }) { result in
            tally.add(result)
            if result.violation != nil, tally.failures.count == 1, !isJSON { explain(result, print) }
            return true
        }
        let seconds = (time() - begin).inSeconds
        print(isJSON ? tally.json(seconds: seconds) : tally.text(seconds: seconds))
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

    private func runVariants(_ print: @escaping (String) -> Void) async -> Bool {
        var areCaught = true
        print("| variant | what is done wrong | caught after |\n|---|---|---|")
        for variant in Variant.allCases {
            var caught: SimulationResult?
            await each(from..<from + seeds, { ClusterSimulation.run(seed: $0, variant: variant) }) { result in
                if result.violation != nil { caught = result }
                return caught == nil
            }
            let verdict = caught.map { "\($0.seed - from + 1) seeds (\($0.violation ?? ""))" } ?? "not caught"
            print("| \(variant.rawValue) | \(variant.summary) | \(verdict) |")
            if caught == nil { areCaught = false }
        }
        return areCaught
    }

    /// Runs seeds on all threads, and hands over what came of them in their order until it has seen enough.
    private func each(
        _ seeds: Range<UInt64>, _ run: @escaping @Sendable (UInt64) -> SimulationResult,
        _ take: (SimulationResult) -> Bool
    ) async {
        await withTaskGroup(of: SimulationResult.self) { group in
            var (next, due) = (seeds.lowerBound, seeds.lowerBound)
            var early: [UInt64: SimulationResult] = [:]
            func addTask() {
                guard next < seeds.upperBound else { return }
                let seed = next
                next += 1
                group.addTask { run(seed) }
            }
            for _ in 0..<max(1, threads) { addTask() }
            while let result = await group.next() {
                early[result.seed] = result
                while let result = early.removeValue(forKey: due) {
                    due += 1
                    guard take(result) else { return group.cancelAll() }
                }
                addTask()
            }
        }
    }
}
