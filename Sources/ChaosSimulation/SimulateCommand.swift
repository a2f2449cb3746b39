import Simulation

/// `slipstream-chaos simulate`: runs seeds, says what they covered and how fast, and how the first one that failed did.
package struct SimulateCommand: Sendable {
    private var seeds: UInt64 = 200
    private var from: UInt64 = 0
    private var only: UInt64?
    private var isJSON = false
    private var variant: Variant?
    private var showsVariants = false
    private var kinds: [FaultKind]?
    private var threads: Int

    package static let help = """
        usage: slipstream-chaos simulate [OPTIONS]
          --seeds N       how many histories to run (200)
          --from N        the first one's seed (0)
          --seed N        runs this one and prints its faults and its trace
          --threads N     how many histories at once (default: one per processor)
          --only KIND,…   draws faults of these kinds alone
          --json          prints figures as one line of JSON
          --variant NAME  runs the cluster with one thing done wrong
          --variants      for each of them: how many seeds until it is caught, by each kind of fault it is there for alone
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
            case "--only": kinds = try Self.kinds(rest.popFirst())
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

    private static func kinds(_ names: String?) throws(Misuse) -> [FaultKind] {
        try (names ?? "").split(separator: ",", omittingEmptySubsequences: false).map { (name) throws(Misuse) in
            guard let kind = FaultKind(rawValue: String(name)) else {
                let names = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw Misuse(description: "--only is '\(name)'; it must be of \(names)")
            }
            return kind
        }
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
        await each(from..<from + seeds, among: kinds, variant) { result in
            tally.add(result)
            if result.violation != nil, tally.failures.count == 1, !isJSON { explain(result, print) }
            return true
        }
        let seconds = (time() - begin).inSeconds
        print(isJSON ? tally.json(seconds: seconds) : tally.text(seconds: seconds))
        return tally.failures.isEmpty
    }

    private func replay(_ seed: UInt64, _ print: (String) -> Void) -> Bool {
        let result = ClusterSimulation.run(seed: seed, among: kinds, variant: variant, keepsTrace: true)
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
        print("| variant | what is done wrong | for | caught after |\n|---|---|---|---|")
        for variant in Variant.allCases {
            for kind in variant.faults {
                let caught = await firstFailure(of: variant, among: [kind] + variant.beside)
                let words = ([kind] + variant.beside).map(\.rawValue).joined(separator: " with ")
                let verdict = caught.map { "\($0.seed - from + 1) seeds (\($0.violation ?? ""))" } ?? "not caught"
                print("| \(variant.rawValue) | \(variant.summary) | \(words) | \(verdict) |")
                if caught == nil { areCaught = false }
            }
        }
        return areCaught
    }

    private func firstFailure(of variant: Variant, among kinds: [FaultKind]) async -> SimulationResult? {
        var found: SimulationResult?
        await each(from..<from + seeds, among: kinds, variant) { result in
            if result.violation != nil { found = result }
            return found == nil
        }
        return found
    }

    /// Runs seeds on all threads, and hands over what came of them in their order until it has seen enough.
    private func each(
        _ seeds: Range<UInt64>, among kinds: [FaultKind]?, _ variant: Variant?, _ take: (SimulationResult) -> Bool
    ) async {
        await withTaskGroup(of: SimulationResult.self) { group in
            var (next, due) = (seeds.lowerBound, seeds.lowerBound)
            var early: [UInt64: SimulationResult] = [:]
            func addTask() {
                guard next < seeds.upperBound else { return }
                let seed = next
                next += 1
                group.addTask { ClusterSimulation.run(seed: seed, among: kinds, variant: variant) }
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
