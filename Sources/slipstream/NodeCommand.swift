import Commands
import Foundation
import Node

enum NodeCommand: Command {
    static let name = "node"
    static let summary = "run a node: gateways, the embedded log, engines, clients"
    static var help: String {
        """
        usage: slipstream node [--SETTING VALUE …]

        Runs one node with the embedded log until SIGTERM or SIGINT; then it stores what was taken, takes snapshots,
        tells its clients and ends. Every setting can be given in the environment too (docs/settings.md).

        \(SettingsTable.node.map(line).joined(separator: "\n"))
          --settings-table      print docs/settings.md and end
        """
    }

    private static func line(_ setting: Setting) -> String {
        let flag = "--\(setting.name)".padding(toLength: 24, withPad: " ", startingAt: 0)
        return "  \(flag)\(setting.help) (default \(setting.fallback.isEmpty ? "none" : setting.fallback))"
    }

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        if arguments.takeSwitch("--settings-table") {
            print(SettingsTable.markdown(), terminator: "")
            return 0
        }
        let node = try start(arguments.rest)
        let signals = StopSignals { node.stop() }
        defer { signals.cancel() }
        return await onThread {
            do throws(NodeError) {
                try node.run()
                return 0
            } catch {
                node.journal.error("the node failed", [.reason: "\(error)"])
                return 1
            }
        }
    }

    static func start(_ words: [String]) throws -> Node {
        let settings = try Settings(
            table: SettingsTable.node, arguments: words, environment: ProcessInfo.processInfo.environment)
        return try Node(NodeConfig(settings, hostName: ProcessInfo.processInfo.hostName))
    }
}

/// Runs what blocks on a thread of its own and waits for it without holding one of the pool.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        let thread = Thread { continuation.resume(returning: body()) }
        thread.stackSize = 8 << 20
        thread.start()
    }
}
