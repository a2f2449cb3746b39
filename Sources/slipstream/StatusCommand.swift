import Commands
import Foundation
import JSON

enum StatusCommand: Command {
    static let name = "status"
    static let summary = "show a cluster's members and shards, or a single node's streams"
    static let help = """
        usage: slipstream status [--json] [--streams] [--node HOST:PORT,…]

        Of a cluster: its members, and each shard with its leader and replicas, lag and newest state hash. Of a single
        node (or with --streams): every stream hosted there with its position, state hash and latest insight, and how
        all rows that reached the log are accounted for.

          \(NodeAddress.usage)
          --streams             the streams hosted at that node of a cluster
          --json                the whole of /v1/cluster, for programs
        """

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        let node = try NodeAddress(&arguments)
        let isJSON = arguments.takeSwitch("--json")
        let wantsStreams = arguments.takeSwitch("--streams")
        try arguments.finish()
        let body = try await node.get("/v1/cluster")
        if isJSON {
            FileHandle.standardOutput.write(Data(body))
            return 0
        }
        let cluster = try JSONValue.parse(body)
        let isAlone = cluster["cluster"]?.string == nil
        print(isAlone || wantsStreams ? page(cluster) : ClusterTables(cluster).text)
        return 0
    }

    private static func page(_ cluster: JSONValue) -> String {
        let shards = cluster["shards"]?.array ?? []
        var table = TextTable(["stream", "seq", "rows", "dup", "lap", "laps", "last s", "best s", "s/lap", "hash"])
        for shard in shards {
            for stream in shard["streams"]?.array ?? [] { table.add(row(stream)) }
        }
        return """
            \(table.text)

            \(accounts(cluster["totals"] ?? .null))
            state hash \(cluster["totals"]?["state_hash"]?.string ?? "–")
            """
    }

    private static func row(_ stream: JSONValue) -> [String] {
        let insight = stream["insight"] ?? .null
        return [
            stream["stream"]?.string ?? "",
            grouped(stream["seq"]?.int ?? 0), grouped(stream["rows"]?.int ?? 0),
            grouped(stream["duplicates"]?.int ?? 0), insight["lap"]?.int.map(String.init) ?? "–",
            insight["laps_started"]?.int.map(String.init) ?? "–",
            decimal(insight["last_lap"]?["seconds"]?.double, 3), decimal(insight["best_lap"]?["seconds"]?.double, 3),
            decimal(insight["degradation_s_per_lap"]?["value"]?.double, 3),
            String((stream["state_hash"]?.string ?? "").prefix(8)),
        ]
    }

    private static func accounts(_ totals: JSONValue) -> String {
        func count(_ name: String) -> String { grouped(totals[name]?.int ?? 0) }
        return """
            \(count("rows")) rows made \(count("points")) points in \(count("streams")) streams; \
            \(count("duplicates")) duplicates, \(count("repeats")) repeats and \(count("refused")) refused;
            of the points \(count("late")) came late and \(count("stamped_alike")) were stamped like the one before
            """
    }
}
