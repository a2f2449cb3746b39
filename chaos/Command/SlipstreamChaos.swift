import Chaos
import ChaosSimulation
import Commands
import Foundation
import Glibc

/// `slipstream-chaos`: breaks a cluster on this machine and checks what it promised.
@main
struct SlipstreamChaos {
    static let help = """
        usage: slipstream-chaos run SCENARIO…|all [OPTIONS]
               slipstream-chaos --short
               slipstream-chaos variants [NAME…] [--slipstream PATH]
               slipstream-chaos check --node HOST:PORT,… --duration 25m
               slipstream-chaos simulate [--seeds N | --seed N | --variants]
               slipstream-chaos list
               slipstream-chaos clean

        Starts kafka-sim and nodes as processes, publishers and clients of the SDK, makes things fail, and compares what
        clients and operators saw with the log. docs/chaos.md says what is promised under which faults.

          --seed N              other nodes in other roles, steps at other times (default 0: as listed)
          --duration N          go through a scenario's steps again until N seconds are over
          --rate N              records per second, in place of the scenario's
          --report FILE         one HTML page with a timeline of faults and gaps
          --json                print one JSON object in place of the table
          --variant NAME        nodes do one thing wrong; simulate --help and docs/chaos.md say what there is
          --keep                keep the logs of all processes, not only where a scenario failed
          --dir DIR             logs and data go here (default: TMPDIR, else /var/tmp)
          --slipstream PATH     the program to test (default: beside this one)
        `check` publishes to a cluster that is there already and follows it through the SDK (--duration in s, m or h; --rate,
        default 200; --json): for faults that somebody else makes, such as those in chaos/kubernetes.
        `variants` runs nodes that do one thing wrong, and says whether a scenario notices; some minutes.
        `simulate` runs whole clusters in one thread under simulated faults; simulate --help says more.
        `--short` runs what takes two minutes and needs no root. `clean` undoes what a killed run left on the machine:
        processes, iptables rules, mounts, files.
        """

    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        var words = Arguments(Array(CommandLine.arguments.dropFirst()))
        do {
            exit(try await run(&words))
        } catch let error as UsageError {
            printError("slipstream-chaos: \(error)\nslipstream-chaos --help says more")
            exit(2)
        } catch {
            printError("slipstream-chaos: \(error)")
            exit(1)
        }
    }

    private static func run(_ words: inout Arguments) async throws -> Int32 {
        if words.next == "simulate" { return try await simulate(&words) }
        if words.takeSwitch("--help") || words.takeSwitch("-h") {
            print(help)
            return 0
        }
        let isShort = words.takeSwitch("--short")
        if isShort { return try await RunCommand(&words, Scenarios.all.filter(\.isShort)).run() }
        switch words.takeName() {
        case "run":
            let names = words.takeNames()
            return try await RunCommand(&words, try chosen(names)).run()
        case "list":
            try words.finish()
            print(list)
            return 0
        case "variants": return try await VariantsCommand(&words).run()
        case "check": return try await CheckCommand(&words).run()
        case "clean":
            try words.finish()
            let lines = ChaosRun.clean()
            print(lines.isEmpty ? "nothing was left behind" : lines.joined(separator: "\n"))
            return lines.contains { $0 != "undone" } ? 1 : 0
        case let other: throw UsageError(other.map { "there is no command '\($0)'" } ?? "say what to do")
        }
    }

    private static func simulate(_ words: inout Arguments) async throws -> Int32 {
        _ = words.takeName()
        if words.wantsHelp {
            print(SimulateCommand.help)
            return 0
        }
        let clock = ContinuousClock()
        let begin = clock.now
        let command = try SimulateCommand(&words, threads: ProcessInfo.processInfo.activeProcessorCount)
        let isFine = await command.run(print: { print($0) }, time: { begin.duration(to: clock.now) })
        return isFine ? 0 : 1
    }

    private static func chosen(_ names: [String]) throws(UsageError) -> [Scenario] {
        guard !names.isEmpty else { throw UsageError("say which scenario, or all; list shows them") }
        if names == ["all"] { return Scenarios.all }
        var scenarios: [Scenario] = []
        for name in names {
            guard let scenario = Scenarios.named(name) else {
                let names = Scenarios.all.map(\.name).joined(separator: ", ")
                throw UsageError("there is no scenario '\(name)'; there are \(names)")
            }
            scenarios.append(scenario)
        }
        return scenarios
    }

    private static var list: String {
        let width = Scenarios.all.map(\.name.count).max() ?? 0
        return Scenarios.all.map { scenario in
            let needs = scenario.needs.map(\.rawValue).sorted().joined(separator: ", ")
            let name = scenario.name.padding(toLength: width, withPad: " ", startingAt: 0)
            return "\(name)  \(scenario.summary)\(needs.isEmpty ? "" : " (needs \(needs))")"
        }.joined(separator: "\n")
    }
}
