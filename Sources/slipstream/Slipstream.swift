import Commands
import Foundation
import Glibc
import Node

/// The command line: one file per command.
@main
struct Slipstream {
    static var commands: [any Command.Type] {
        [
            NodeCommand.self, DevCommand.self, DemoCommand.self, PlayCommand.self, TailCommand.self, StatusCommand.self,
            DrainCommand.self, KafkaSimCommand.self, BenchCommand.self,
        ]
    }

    static func main() async {
        // A reader that goes away ends a write with an error, not the process.
        signal(SIGPIPE, SIG_IGN)
        var arguments = Arguments(Array(words.dropFirst()))
        guard let name = arguments.takeName() else { return end(arguments.wantsHelp ? 0 : 2, saying: help) }
        guard let command = commands.first(where: { $0.name == name }) else {
            if name == "help" { return end(0, saying: help) }
            return end(2, saying: "slipstream: there is no command '\(name)'\n\n\(help)")
        }
        if arguments.wantsHelp { return end(0, saying: command.help) }
        do {
            exit(try await command.run(&arguments))
        } catch let error as UsageError {
            end(2, saying: "slipstream \(name): \(error)\nslipstream \(name) --help says more")
        } catch {
            end(1, saying: "slipstream \(name): \(error)")
        }
    }

    /// The runtime finds no arguments when a preloaded library has changed the environment before it looked.
    private static var words: [String] {
        guard CommandLine.arguments.count < 2, let line = FileManager.default.contents(atPath: "/proc/self/cmdline")
        else { return CommandLine.arguments }
        return line.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private static func end(_ code: Int32, saying text: String) {
        FileHandle(fileDescriptor: code == 0 ? STDOUT_FILENO : STDERR_FILENO).write(Data((text + "\n").utf8))
        exit(code)
    }

    private static var help: String {
        let list = commands.map { "  \($0.name.padding(toLength: 9, withPad: " ", startingAt: 0)) \($0.summary)" }
        return """
            Live telemetry into live insights. Version \(slipstreamVersion)

            usage: slipstream COMMAND [OPTIONS]

            \(list.joined(separator: "\n"))

            slipstream COMMAND --help says more.
            """
    }
}

/// One command of the program.
protocol Command {
    static var name: String { get }
    static var summary: String { get }
    static var help: String { get }
    /// - Returns: the exit code.
    static func run(_ arguments: inout Arguments) async throws -> Int32
}
