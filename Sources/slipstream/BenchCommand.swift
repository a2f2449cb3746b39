import Commands
import Foundation

/// `slipstream bench NAME`: the figures of docs/performance.md, each by one command.
enum BenchCommand: Command {
    static let name = "bench"
    static let summary = "measure this build on this machine"
    static var help: String {
        """
        usage: slipstream bench NAME [--json] [OPTIONS]

        Measures this build on this machine, in at most about a minute: a table, or with --json one JSON object.
        Figures are medians of several runs, with the least and the most beside them. What goes on meanwhile is told
        on stderr. Data go to a directory under --dir (default: TMPDIR, else /var/tmp) and are removed.

        \(benches.map(line).joined(separator: "\n"))
        """
    }

    private static let benches: [any Bench.Type] = [
        EngineBench.self, IngestBench.self, LatencyBench.self, FanoutBench.self, RestartBench.self,
        MembershipBench.self, FailoverBench.self, ScaleBench.self, KafkaBench.self,
    ]

    private static func line(_ bench: any Bench.Type) -> String {
        let name = bench.name.padding(toLength: 10, withPad: " ", startingAt: 0)
        let options = bench.options.map { "\n               \($0)" }.joined()
        return "  \(name) \(bench.summary)\(options)"
    }

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        guard let name = arguments.takeName() else { throw UsageError("say what to measure: \(names)") }
        guard let kind = benches.first(where: { $0.name == name }) else {
            throw UsageError("there is no bench '\(name)'; there are \(names)")
        }
        let isJSON = arguments.takeSwitch("--json")
        let directory = try arguments.takeOption("--dir")
        let bench = try kind.init(&arguments)
        try arguments.finish()
        let place = try BenchPlace(under: directory, progress: BenchProgress(name))
        let signals = StopSignals {
            place.remove()
            exit(130)
        }
        defer {
            signals.cancel()
            place.remove()
        }
        let report = try await bench.run(in: place)
        place.progress.end()
        print(isJSON ? report.json : report.table)
        return 0
    }

    private static var names: String { benches.map { $0.name }.joined(separator: ", ") }
}
