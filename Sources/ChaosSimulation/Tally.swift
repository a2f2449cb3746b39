import Commands
import Simulation

/// What came of many seeds.
struct Tally {
    private(set) var failures: [(seed: UInt64, violation: String)] = []
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

    /// - Parameter seeds: how many there are to be.
    func progress(of seeds: UInt64, seconds: Double) -> String {
        let bar = Progress.bar(Double(count) / Double(seeds))
        let speed = rounded(simulated / max(seconds, .ulpOfOne))
        return "\(bar) \(grouped(count)) of \(grouped(seeds)) seeds, \(failures.count) failed, \(speed) × real time"
    }

    func text(seconds: Double) -> String {
        let coverage = FaultKind.allCases.map { "\($0.rawValue) \(kinds[$0] ?? 0)" }.joined(separator: ", ")
        let failed = failures.prefix(20).map { "  seed \($0.seed): \($0.violation)" }
        let lines = [
            """
            \(count) seeds in \(rounded(seconds)) s: \(rounded(Double(count) / seconds)) seeds/s, \
            \(rounded(simulated / seconds)) × real time, \(events) events
            """,
            "faults: \(coverage)",
            failures.isEmpty ? "clean" : "\(failures.count) failed",
        ]
        return (lines + failed).joined(separator: "\n")
    }

    func json(seconds: Double) -> String {
        let coverage = FaultKind.allCases.map { "\"\($0.rawValue)\":\(kinds[$0] ?? 0)" }.joined(separator: ",")
        let failed = failures.map { "\($0.seed)" }.joined(separator: ",")
        return """
            {"seeds":\(count),"seconds":\(rounded(seconds)),"seeds_per_second":\(rounded(Double(count) / seconds)),\
            "simulated_per_real":\(rounded(simulated / seconds)),"events":\(events),"failed":[\(failed)],\
            "faults":{\(coverage)}}
            """
    }

    private func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
