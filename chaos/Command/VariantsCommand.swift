import Chaos
import ChaosSimulation
import Commands
import Foundation
import Glibc

/// Runs nodes that do one thing wrong, each in the scenario that ought to notice, and says which did.
struct VariantsCommand {
    private let options: ChaosRun.Options
    private let variants: [Variant]

    init(_ words: inout Arguments) throws {
        let names = words.takeNames()
        variants = names.isEmpty ? Variant.allCases : try names.map { try Arguments.choice($0, of: "the variant") }
        let program = try words.takeOption("--slipstream") ?? RunCommand.besideThis
        let directory = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/var/tmp"
        options = ChaosRun.Options(program: program, directory: "\(directory)/slipstream-chaos.\(getpid())")
        try words.finish()
    }

    /// - Returns: 0 when all were noticed that can be.
    func run() async throws -> Int32 {
        var areCaught = true
        print("| variant | what is done wrong | caught by real processes |\n|---|---|---|")
        for variant in variants {
            let verdict: String
            if let scenario = variant.scenario.flatMap(Scenarios.named) {
                let result = try await result(of: variant, in: scenario)
                verdict = "\(scenario.name): \(words(for: result))"
                if result.outcome == .passed { areCaught = false }
            } else {
                verdict = "simulation only: \(variant.whySimulated ?? "")"
            }
            print("| \(variant.rawValue) | \(variant.summary) | \(verdict) |")
        }
        rmdir(options.directory)
        return areCaught ? 0 : 1
    }

    private func result(of variant: Variant, in scenario: Scenario) async throws -> ScenarioResult {
        var options = options
        options.variant = variant.rawValue
        options.directory += "/\(variant.rawValue)"
        defer { try? FileManager.default.removeItem(atPath: options.directory) }
        guard let result = try await ChaosRun(options).run([scenario], done: { _ in }).first else {
            throw UsageError("it was broken off")
        }
        return result
    }

    private func words(for result: ScenarioResult) -> String {
        switch result.outcome {
        case .passed: return "not noticed"
        case .skipped: return "skipped, \(result.reasons.first ?? "")"
        case .failed:
            let counts = [
                ("lost", result.lost), ("repeated", result.repeated), ("reordered", result.reordered),
                ("altered", result.altered), ("resyncs", result.resyncs),
            ].filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
            return counts.isEmpty ? result.reasons.first ?? "failed" : counts.joined(separator: ", ")
        }
    }
}
