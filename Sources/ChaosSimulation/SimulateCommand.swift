import Commands
import Simulation

/// `slipstream-chaos simulate`: runs seeds, says what they covered and how fast, and how the first one that failed did.
package struct SimulateCommand: Sendable {
    private let seeds: UInt64
    private let from: UInt64
    private let only: UInt64?
    private let isJSON: Bool
    private let variant: Variant?
    private let showsVariants: Bool
    private let kinds: [FaultKind]?
    private let threads: Int

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

    /// - Parameter threads: how many histories at once, unless the arguments say.
    package init(_ words: inout Arguments, threads: Int = 1) throws(UsageError) {
        seeds = UInt64(try words.takeNumber("--seeds", in: 1...1_000_000_000, default: 200))
        from = UInt64(try words.takeNumber("--from", in: 0...1_000_000_000, default: 0))
        only = try words.takeNumber("--seed", in: 0...2_000_000_000).map(UInt64.init)
        self.threads = try words.takeNumber("--threads", in: 1...1_000, default: threads)
        isJSON = words.takeSwitch("--json")
        showsVariants = words.takeSwitch("--variants")
        kinds = try words.takeOption("--only").map { (names) throws(UsageError) in
            try names.split(separator: ",", omittingEmptySubsequences: false)
                .map { (name) throws(UsageError) in try Arguments.choice(String(name), of: "--only") }
        }
        variant = try words.takeOption("--variant").map { (name) throws(UsageError) in
            try Arguments.choice(name, of: "--variant")
        }
        try words.finish()
    }

    /// - Parameter time: since any fixed instant.
    /// - Returns: whether all was well.
    package func run(print: @escaping @Sendable (String) -> Void, time: () -> Duration) async -> Bool {
        if let only { return replay(only, print) }
        if showsVariants { return await runVariants(print) }
        var (tally, progress) = (Tally(), Progress())
        let begin = time()
        await each(from..<from + seeds, among: kinds, variant) { result in
            tally.add(result)
            if result.violation != nil, tally.failures.count == 1, !isJSON {
                progress.clear()
                explain(result, print)
            }
            progress.show(tally.progress(of: seeds, seconds: (time() - begin).inSeconds))
            return true
        }
        progress.clear()
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
