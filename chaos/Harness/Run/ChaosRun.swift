import Foundation

/// Runs scenarios one after the other and undoes what they did to the machine.
package struct ChaosRun: Sendable {
    package struct Options: Sendable {
        package var seed: UInt64 = 0
        /// Records per second in place of the scenario's.
        package var rate: Int?
        /// Tells this run's records from others'.
        package var run: UInt32 = 1
        /// The cluster is somebody else's, and has streams of others.
        package var isLive = false
        /// Seconds, in place of going through the steps once.
        package var duration: Double?
        /// The `slipstream` program.
        package var program: String
        /// What nodes do wrong on purpose, by its name; `nil`: nothing.
        package var variant: String?
        /// Logs of all processes stay there.
        package var keepsLogs = false
        package var directory: String
        /// Takes a line per event.
        package var tell: @Sendable (String) -> Void = { _ in }

        package init(program: String, directory: String) {
            self.program = program
            self.directory = directory
        }
    }

    private let options: Options

    package init(_ options: Options) { self.options = options }

    /// - Parameter done: takes each result as it comes.
    package func run(_ scenarios: [Scenario], done: (ScenarioResult) -> Void) async throws -> [ScenarioResult] {
        var results: [ScenarioResult] = []
        for scenario in scenarios {
            if Task.isCancelled { break }
            let result = try await run(scenario)
            results.append(result)
            done(result)
        }
        return results
    }

    private func run(_ scenario: Scenario) async throws -> ScenarioResult {
        if let missing = Needs.missing(for: scenario) {
            var result = ScenarioResult(scenario, seed: options.seed)
            result.reasons = [missing]
            return result
        }
        let directory = "\(options.directory)/\(scenario.name)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let leftovers = try Leftovers()
        try leftovers.change { $0.directories.append(directory) }
        var drawn = scenario.drawn(from: options.seed)
        if let duration = options.duration { drawn = drawn.repeated(for: duration) }
        var result = try await ScenarioRun(drawn, options, directory: directory, leftovers).run()
        let keeps = options.keepsLogs || result.outcome == .failed && !Task.isCancelled
        let problems = leftovers.undo(keepingDirectories: keeps)
        if keeps { options.tell("\(scenario.name)  logs are in \(directory)") }
        if !problems.isEmpty {
            result.outcome = .failed
            result.reasons += problems.map { "not undone: \($0)" }
        }
        return result
    }

    /// Undoes what runs left behind that were killed.
    /// - Returns: a line per run.
    package static func clean() -> [String] {
        Leftovers.ofDeadRuns().map { leftovers in
            let problems = leftovers.undo()
            return problems.isEmpty ? "undone" : "not undone: \(problems.joined(separator: "; "))"
        }
    }
}
