import Delivery
import JSON
import Telemetry
import Web

/// How a node that leaves its cluster treats its clients.
extension Service {
    /// Others have all shards: clients go there. Who does not go by itself is closed with 1001 in a while.
    func sendClientsAway() {
        isDraining = true
        for (index, id) in hub.sessionIDs.enumerated() { sendAway(id, number: index) }
        if hub.sessionIDs.isEmpty { node.departure.clientsAreGone() }
    }

    /// This node stands still and others do not, so what is published through them is durable at once: who waits for an
    /// acknowledgement is sent there, once.
    func sendPublishersAway() {
        let waiting = publishers.filter { $0.value.isWaiting && !publishersSentAway.contains($0.key) }.keys
        for (index, id) in waiting.sorted(by: { $0.value < $1.value }).enumerated() {
            publishersSentAway.insert(id)
            sendAway(id, number: index)
        }
    }

    /// - Parameter number: clients that want the same are spread by it.
    private func sendAway(_ id: SessionID, number index: Int) {
        let urls = otherNodes(for: id, number: index)
        if !urls.isEmpty { carryOut(hub.send(ServerMessage.moved(to: urls), to: id)) }
    }

    /// Where else a client can go, the best first: those that have most of what it wants; for publishers, those that
    /// have not much less than another.
    private func otherNodes(for id: SessionID, number: Int) -> [String] {
        let others = (node.cluster?.picture.members ?? []).filter { member in
            member.id != node.config.nodeID && member.state == .alive
        }
        let places = node.cluster?.picture.places ?? []
        let wanted = shards(of: hub.patterns(of: id))
        let live = others.map { other in
            places.enumerated().count { shard, place in
                (wanted.isEmpty || wanted.contains(shard)) && place.live.contains(other.id)
            }
        }
        let most = live.max() ?? 0
        func rank(_ place: Int) -> (Int, Int) {
            let isFull = live[place] * 2 >= most
            return (wanted.isEmpty ? (isFull ? 0 : 1) : -live[place], (place + number) % others.count)
        }
        return others.indices.sorted { rank($0) < rank($1) }.compactMap { others[$0].url }.map(Service.streamAddress)
    }

    /// `http://host:port` as clients of `/v1/stream` are told.
    static func streamAddress(_ url: String) -> String {
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
