import Delivery
import JSON
import Telemetry
import Web

/// How a node that leaves its cluster treats its clients.
extension Service {
    /// Others have all shards: clients go there. Who does not go by itself is closed with 1001 in a while.
    func sendClientsAway() {
        isDraining = true
        let others = (node.cluster?.picture.members ?? []).filter { member in
            member.id != node.config.nodeID && member.state == .alive
        }
        let places = node.cluster?.picture.places ?? []
        for (index, id) in hub.sessionIDs.enumerated() {
            let wanted = shards(of: hub.patterns(of: id))
            // Those that have most of what the client wants; clients that want the same are spread over them.
            let ranked = others.indices.sorted { left, right in
                func rank(_ place: Int) -> (Int, Int) {
                    let live = wanted.count { shard in
                        places.indices.contains(shard) && places[shard].live.contains(others[place].id)
                    }
                    return (-live, (place + index) % others.count)
                }
                return rank(left) < rank(right)
            }
            let urls = ranked.compactMap { others[$0].url }.map(Service.streamAddress)
            if !urls.isEmpty { carryOut(hub.send(ServerMessage.moved(to: urls), to: id)) }
        }
        if hub.sessionIDs.isEmpty { node.departure.clientsAreGone() }
    }

    /// `http://host:port` as clients of `/v1/stream` are told.
    private static func streamAddress(_ url: String) -> String {
        (url.hasPrefix("http") ? "ws" + url.dropFirst("http".count) : url) + "/v1/stream"
    }

    // MARK: HTTP

    /// `POST /v1/drain`: the same as SIGTERM. Asking again changes nothing.
    func answerDrain(_ exchange: HTTPExchange) {
        node.drain()
        exchange.respond(.json(departure, status: 202))
    }

    /// `GET /v1/drain`: how far it is.
    func answerDeparture(_ exchange: HTTPExchange) { exchange.respond(.json(departure)) }

    private var departure: JSONWriter {
        let held = node.cluster.map { cluster in
            cluster.picture.places.count { $0.replicas.contains { $0.node == node.config.nodeID } }
        }
        var json = JSONWriter()
        json.raw("{\"node\":")
        json.string(node.config.nodeID)
        json.raw(",\"state\":")
        json.string(node.departure.phase.rawValue)
        json.raw(",\"shards\":")
        json.integer(held ?? node.config.partitions)
        json.raw(",\"clients\":")
        json.integer(hub.sessionCount + feed.clientCount)
        json.raw("}")
        return json
    }
}
