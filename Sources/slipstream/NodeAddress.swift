import Client
import JSON
import Web

/// Where a node is, as `--node` says: `localhost:8081`, or a URL.
struct NodeAddress {
    private let authority: String

    static let usage = "--node HOST:PORT      the node to talk to (default localhost:8081)"

    init(_ arguments: inout Arguments) throws(UsageError) {
        let text = try arguments.takeOption("--node") ?? "localhost:8081"
        let bare = text.split(separator: "://", maxSplits: 1).last.map(String.init) ?? text
        authority = bare.hasSuffix("/") ? String(bare.dropLast()) : bare
        guard !authority.isEmpty, !authority.contains("/") else {
            throw UsageError("--node is '\(text)'; it must be HOST:PORT")
        }
    }

    init(port: Int) { authority = "127.0.0.1:\(port)" }

    var stream: String { "ws://\(authority)/v1/stream" }
    var page: String { "http://\(authority)/" }

    /// - Throws: what the node or the way to it says.
    func get(_ path: String) async throws -> [UInt8] {
        let client = try WebClient()
        defer { client.shutdown() }
        let response = try await client.request("GET", "http://\(authority)\(path)", timeout: .seconds(10))
        guard response.status == 200 else {
            let message = (try? JSONValue.parse(response.body))?["error"]?["message"]?.string
            throw CommandError("\(authority) answers \(response.status): \(message ?? "no reason given")")
        }
        return response.body
    }
}

/// Something went wrong on the way. Ends with exit code 1.
struct CommandError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
