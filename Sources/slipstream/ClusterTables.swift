import Commands
import JSON

/// `/v1/cluster` for people: members, and shards with their places.
struct ClusterTables {
    static let widthMax = 100
    private let cluster: JSONValue

    init(_ cluster: JSONValue) { self.cluster = cluster }

    var text: String {
        """
        cluster \(cluster["cluster"]?.string ?? "") as \(cluster["node"]?.string ?? "") sees it, view \
        \(cluster["epoch"]?.int ?? 0)

        \(members)

        \(shards)
        """
    }

    private var members: String {
        var table = TextTable(
            ["node", "state", "address", "zone", "version", "weight", "shards", "leads", "lag"],
            left: [0, 1, 2, 3, 4], widthMax: ClusterTables.widthMax)
        for member in cluster["members"]?.array ?? [] {
            let load = member["load"] ?? .null
            let url = member["url"]?.string ?? "–"
            table.add([
                member["id"]?.string ?? "", member["state"]?.string ?? "",
                url.hasPrefix("http://") ? String(url.dropFirst(7)) : url, named(member["zone"]?.string),
                named(member["version"]?.string), grouped(member["weight"]?.int ?? 0),
                grouped(load["shards"]?.int ?? 0), grouped(load["leads"]?.int ?? 0), grouped(load["lag"]?.int ?? 0),
            ])
        }
        return table.text
    }

    private func named(_ text: String?) -> String { text.flatMap { $0.isEmpty ? nil : $0 } ?? "–" }

    private var shards: String {
        var table = TextTable(
            ["shard", "leader", "replicas", "offset", "lag", "hash", "at"], left: [1, 2, 5],
            widthMax: ClusterTables.widthMax)
        for shard in cluster["shards"]?.array ?? [] {
            let replicas = shard["replicas"]?.array ?? []
            let hash = newestHash(replicas)
            table.add([
                "\(shard["shard"]?.int ?? 0)", named(shard["leader"]?.string),
                replicas.map(shown).joined(separator: ", "),
                grouped(replicas.compactMap { $0["offset"]?.int }.max() ?? 0),
                grouped(replicas.compactMap { $0["lag"]?.int }.max() ?? 0), hash.text, hash.offset,
            ])
        }
        return table.text
    }

    /// The state is said unless it is live.
    private func shown(_ replica: JSONValue) -> String {
        let name = replica["node"]?.string ?? ""
        let state = replica["state"]?.string ?? ""
        return state == "live" ? name : "\(name) \(state.replacing("_", with: " "))"
    }

    /// Of the newest offset that any replica has hashed; replicas that differ there have diverged.
    private func newestHash(_ replicas: [JSONValue]) -> (text: String, offset: String) {
        let hashes = replicas.compactMap { replica -> (offset: Int, hash: String)? in
            guard let offset = replica["hash"]?["offset"]?.int, let hash = replica["hash"]?["state_hash"]?.string else {
                return nil
            }
            return (offset, hash)
        }
        guard let newest = hashes.map(\.offset).max() else { return ("–", "–") }
        let said = Set(hashes.filter { $0.offset == newest }.map(\.hash)).sorted()
        return (said.count > 1 ? "DIFFERS" : String(said[0].prefix(8)), grouped(newest))
    }
}
