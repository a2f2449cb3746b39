import Commands
import Foundation
import JSON
import Web

enum DrainCommand: Command {
    static let name = "drain"
    static let summary = "have a node hand over its shards and clients, and end"
    static let help = """
        usage: slipstream drain --node HOST:PORT [--timeout SECONDS]

        Tells a node to leave its cluster, as SIGTERM does: it serves on until other nodes have all its shards live, sends
        its clients there, and ends. Shows how far it is and returns when the node is gone; a second drain of the same
        node does no harm. A node that nobody can take over from ends after its --drain-timeout-ms.

          --node HOST:PORT      the node to drain
          --timeout SECONDS     stop watching after this time (default 60); the node goes on draining
        """

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        guard arguments.rest.contains(where: { $0.hasPrefix("--node") }) else {
            throw UsageError("--node says which node is to go, as in --node localhost:8081")
        }
        let node = try NodeAddress(&arguments)
        let seconds = try arguments.takeNumber("--timeout", in: 1...86_400, default: 60)
        try arguments.finish()
        guard node.isSingle else { throw UsageError("--node names several nodes; drain one at a time") }
        return try await watch(node, until: .now + .seconds(seconds))
    }

    private static func watch(_ node: NodeAddress, until deadline: ContinuousClock.Instant) async throws -> Int32 {
        let client = try WebClient()
        defer { client.shutdown() }
        let url = node.page + "v1/drain"
        var state = try await ask(client, "POST", url)
        let name = state["node"]?.string ?? node.page
        var told = ""
        while ContinuousClock.now < deadline {
            let line = shown(state)
            if line != told { printLine("\(name)  \(line)") }
            told = line
            try await Task.sleep(for: .milliseconds(100))
            do throws(WebError) {
                let response = try await client.request("GET", url, timeout: .seconds(5))
                state = (try? JSONValue.parse(response.body)) ?? .null
            } catch {
                printLine("\(name)  gone")
                return 0
            }
        }
        throw CommandError("\(name) is not gone yet: \(told)")
    }

    private static func ask(_ client: WebClient, _ method: String, _ url: String) async throws -> JSONValue {
        let response = try await client.request(method, url, timeout: .seconds(5))
        guard response.status == 202 else { throw CommandError("\(url) answers \(response.status)") }
        return try JSONValue.parse(response.body)
    }

    private static func shown(_ state: JSONValue) -> String {
        "\(state["state"]?.string ?? "?"): \(state["shards"]?.int ?? 0) shards here, \(state["clients"]?.int ?? 0) clients"
    }
}
