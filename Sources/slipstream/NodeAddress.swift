import Client
import Commands
import JSON
import Web

/// Where nodes are, as `--node` says: `localhost:8081`, or a URL, or several with commas. Any of a cluster will do, and
/// another is taken when one is gone.
struct NodeAddress {
    private let authorities: [String]

    static let usage = "--node HOST:PORT,…    the node to talk to, or several of a cluster (default localhost:8081)"

    init(_ arguments: inout Arguments) throws(UsageError) {
        let text = try arguments.takeOption("--node") ?? "localhost:8081"
        authorities = text.split(separator: ",").map { part in
            let bare = part.split(separator: "://", maxSplits: 1).last.map(String.init) ?? String(part)
            return bare.hasSuffix("/") ? String(bare.dropLast()) : bare
        }
        guard !authorities.isEmpty, authorities.allSatisfy({ !$0.isEmpty && !$0.contains("/") }) else {
            throw UsageError("--node is '\(text)'; it must be HOST:PORT, or several with commas")
        }
    }

    init(ports: [Int]) { authorities = ports.map { "127.0.0.1:\($0)" } }

    var streams: [String] { authorities.map { "ws://\($0)/v1/stream" } }
    var isSingle: Bool { authorities.count == 1 }
    var page: String { "http://\(authorities[0])/" }

    /// Asks one after the other until one answers.
    /// - Throws: what the last node or the way to it says.
    func get(_ path: String) async throws -> [UInt8] {
        let client = try WebClient()
        defer { client.shutdown() }
        var failure = CommandError("there is no node to ask")
        for authority in authorities {
            do throws(WebError) {
                let response = try await client.request("GET", "http://\(authority)\(path)", timeout: .seconds(10))
                if response.status == 200 { return response.body }
                let message = (try? JSONValue.parse(response.body))?["error"]?["message"]?.string
                failure = CommandError("\(authority) answers \(response.status): \(message ?? "no reason given")")
            } catch { failure = CommandError("\(authority): \(error)") }
        }
        throw failure
    }
}

/// Something went wrong on the way. Ends with exit code 1.
struct CommandError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
