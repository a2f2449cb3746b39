import Delivery
import JSON
import Telemetry

/// What a node asks of another: a shard's outputs from now on, and of what was said before only what it has not got.
///
/// `{"follow":5,"has":{"chassis/GR86-006-7":["00c0ffee00c0ffee",812,135,2]}}`: lineage and the last point, insight and
/// alert of each stream.
struct FollowOrder: Equatable {
    let shard: Int
    var has: [StreamID: Position] = [:]

    /// - Parameter streams: the shard's, as far as this node has had them from another source.
    init(shard: Int, streams: [HubStream]) {
        self.shard = shard
        for stream in streams { has[stream.id] = stream.end }
    }

    /// Nothing but the shard is needed; a position that cannot be read is none.
    init?(_ json: JSONValue) {
        guard let shard = json["follow"]?.int else { return nil }
        self.shard = shard
        for (name, position) in json["has"]?.object ?? [:] {
            guard let id = StreamID(name) else { continue }
            has[id] = Position(position)
        }
    }

    var encoded: [UInt8] {
        var json = JSONWriter()
        json.raw("{\"follow\":")
        json.integer(shard)
        json.raw(",\"has\":{")
        for (index, (id, position)) in has.sorted(by: { $0.key.description < $1.key.description }).enumerated() {
            if index > 0 { json.comma() }
            json.key(id.description)
            json.raw("[")
            json.string(position.lineage.description)
            for kind in OutputKind.allCases {
                json.comma()
                json.integer(position[kind])
            }
            json.raw("]")
        }
        json.raw("}}")
        return json.bytes
    }
}

extension Position {
    fileprivate init?(_ json: JSONValue) {
        guard let parts = json.array, parts.count == 4, let lineage = parts[0].string.flatMap({ Lineage($0) }) else {
            return nil
        }
        let marks = parts.dropFirst().compactMap(\.int).filter { $0 >= 0 }.map { UInt64($0) }
        guard marks.count == 3 else { return nil }
        self.init(lineage: lineage, seq: marks[0], insight: marks[1], alert: marks[2])
    }
}
