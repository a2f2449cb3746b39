import Delivery
import struct Sharding.StateHash
import Telemetry

/// Members, and where each shard is. Clients of the SDK read this part: `partitions`, `members[].id`, `members[].url`,
/// `shards[].shard`, `shards[].leader` and `shards[].live` stay as they are.
extension ClusterPage {
    func writeMembers(into json: inout JSONWriter) {
        json.list(picture.members) { json, member in
            json.raw("{\"id\":")
            json.string(member.id)
            json.raw(",\"state\":")
            json.string(member.state.rawValue)
            json.raw(",\"url\":")
            json.string(orNull: member.url)
            json.raw(",\"gossip\":")
            json.string(orNull: member.gossip)
            json.raw(",\"version\":")
            json.string(member.version)
            json.raw(",\"zone\":")
            json.string(member.zone)
            json.raw(",\"weight\":")
            json.integer(member.weight)
            json.raw(",\"load\":")
            writeLoad(of: member.id, into: &json)
            json.raw("}")
        }
    }

    private func writeLoad(of node: String, into json: inout JSONWriter) {
        let held = picture.places.compactMap { $0.replicas.first { $0.node == node } }
        json.raw("{\"shards\":")
        json.integer(held.count)
        json.raw(",\"leads\":")
        json.integer(picture.places.count { $0.leader == node })
        json.raw(",\"lag\":")
        json.integer(held.reduce(0) { $0 + $1.lag })
        json.raw("}")
    }

    func write(_ place: ClusterPicture.Place, into json: inout JSONWriter) {
        json.raw("\"leader\":")
        json.string(orNull: place.leader)
        json.raw(",\"live\":")
        json.list(place.live) { $0.string($1) }
        json.raw(",\"replicas\":")
        json.list(place.replicas) { json, replica in
            json.raw("{\"node\":")
            json.string(replica.node)
            json.raw(",\"state\":")
            json.string(replica.state.rawValue)
            json.raw(",\"offset\":")
            json.integer(replica.offset)
            json.raw(",\"lag\":")
            json.integer(replica.lag)
            json.raw(",\"hash\":")
            if let hash = replica.hash {
                json.raw("{\"offset\":")
                json.integer(hash.offset)
                json.raw(",\"state_hash\":")
                json.string(Lineage(hash.hash).description)
                json.raw("}")
            } else {
                json.raw("null")
            }
            json.raw("}")
        }
    }
}

extension JSONWriter {
    /// `[…,…]`
    mutating func list<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) {
        raw("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { comma() }
            write(&self, element)
        }
        raw("]")
    }

    fileprivate mutating func string(orNull text: String?) {
        if let text { string(text) } else { raw("null") }
    }
}
