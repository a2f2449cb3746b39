import Client
import Delivery
import Replication
import Sharding
import Telemetry

/// What must be true some time after the faults are over.
extension ClusterWorld {
    /// Why the cluster is not at rest yet.
    var unrest: String? { unsettledPublisher ?? unsettledNode ?? unsettledClient }

    private var unsettledPublisher: String? {
        for client in clients {
            guard let session = client.publisher else { continue }
            if client.remaining > 0 { return "publisher \(client.number) has \(client.remaining) to publish" }
            if session.settledThrough < session.lastSeq {
                return "publisher \(client.number) has \(session.settledThrough) of \(session.lastSeq) acknowledged"
            }
            if let lost = client.published.joined().first(where: { !oracle.applied.contains($0) }) {
                violate("record \(lost) was acknowledged and is not in the log")
            }
        }
        return nil
    }

    private var unsettledNode: String? {
        for node in nodes {
            guard let process = node.process else { return "n\(node.number) does not run" }
            let current = clients.count { client in
                client.wire.map { wires[$0].isOpen && wires[$0].node == node.number } ?? false
            }
            if process.hub.sessionCount != current {
                return "n\(node.number) has \(process.hub.sessionCount) sessions for \(current) clients"
            }
            let alive = process.membership.members.filter { $0.status == .alive }.count
            if alive != nodes.count { return "n\(node.number) knows \(alive) nodes alive" }
            for (number, hosted) in process.replica.hosted.sorted(by: { $0.key < $1.key }) {
                if !hosted.isLive { return "n\(node.number) has shard \(number) not live" }
                if hosted.shard.next != oracle.end(number) { return "n\(node.number) is behind in shard \(number)" }
                if !hasLost.contains(number), hosted.shard.stateHash != oracle.stateHash(number) {
                    violate("n\(node.number) has another state of shard \(number) than the log")
                }
            }
        }
        for shard in 0..<partitions {
            let count = nodes.count { $0.process?.replica.hosted[shard] != nil }
            if count != replicas { return "shard \(shard) has \(count) replicas" }
        }
        return nil
    }

    private var unsettledClient: String? {
        for client in clients {
            guard let request = client.request else { continue }
            for stream in oracle.streams where request.streams.contains(where: { $0.matches(stream) }) {
                let last = max(client.last[stream]?[0] ?? 0, client.resynced[stream] ?? 0)
                // It began at the newest, and nothing came after.
                if client.last[stream] == nil, request.from == .latest { continue }
                if last < oracle.latest(stream), !hasLost.contains(partition(of: stream)) {
                    return "client \(client.number) has \(stream) up to \(last) of \(oracle.latest(stream))"
                }
            }
        }
        return nil
    }
}
