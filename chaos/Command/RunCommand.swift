import Chaos
import ChaosSimulation
import Commands
import Dispatch
import Foundation
import Glibc

/// Runs scenarios and reports.
struct RunCommand {
    private let scenarios: [Scenario]
    private let options: ChaosRun.Options
    private let report: String?
    private let isJSON: Bool

    init(_ words: inout Arguments, _ scenarios: [Scenario]) throws {
        self.scenarios = scenarios
        let program = try words.takeOption("--slipstream") ?? RunCommand.besideThis
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw UsageError("there is no \(program); build it (make build), or give --slipstream PATH")
        }
        let temporary = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/var/tmp"
        let directory = try words.takeOption("--dir") ?? temporary
        var options = ChaosRun.Options(program: program, directory: "\(directory)/slipstream-chaos.\(getpid())")
        options.seed = UInt64(try words.takeNumber("--seed", in: 0...1_000_000_000) ?? 0)
        options.duration = try words.takeNumber("--duration", in: 1...1_000_000).map(Double.init)
        options.rate = try words.takeNumber("--rate", in: 100...1_000_000)
        options.variant = try RunCommand.variant(&words)
        options.keepsLogs = words.takeSwitch("--keep")
        options.tell = { printError($0) }
        report = try words.takeOption("--report")
        isJSON = words.takeSwitch("--json")
        self.options = options
        try words.finish()
    }

    private static func variant(_ words: inout Arguments) throws(UsageError) -> String? {
        guard let name = try words.takeOption("--variant") else { return nil }
        let known = Variant.allCases.filter { $0.scenario != nil }.map(\.rawValue)
        guard known.contains(name) else {
            throw UsageError("--variant is '\(name)'; it must be one of \(known.joined(separator: ", "))")
        }
        return name
    }

    static var besideThis: String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("slipstream").path
    }

    /// - Returns: 0 when nothing failed.
    func run() async throws -> Int32 {
        let running = Task { [scenarios, options] in
            try await ChaosRun(options).run(scenarios) { result in
                printError("\(result.scenario)  \(result.outcome.rawValue) after \(Int(result.seconds)) s")
            }
        }
        let signals = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { running.cancel() }
            source.resume()
            return source
        }
        defer { signals.forEach { $0.cancel() } }
        let results = try await running.value
        print(isJSON ? try TextReport.json(results) : TextReport.table(results))
        if let report { try HTMLReport.page(results).write(toFile: report, atomically: true, encoding: .utf8) }
        // Empty where nothing is kept.
        rmdir(options.directory)
        return results.contains { $0.outcome == .failed } || results.count < scenarios.count ? 1 : 0
    }
}
