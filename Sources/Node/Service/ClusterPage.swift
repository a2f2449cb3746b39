import Delivery
import Replication
import Telemetry

/// `/v1/cluster`: members, and shards with their places, positions and hashes; of those hosted here also their streams.
struct ClusterPage {
    let node: String
    /// The cluster's name; `nil` for a node without others.
    let cluster: String?
    let partitions: Int
    let picture: ClusterPicture
    /// Hosted here; `nil`: not asked for.
    let hosted: [ShardStatus]?

    init(_ config: NodeConfig, _ picture: ClusterPicture, _ hosted: [ShardStatus]? = nil) {
        node = config.nodeID
        cluster = config.kafka?.cluster
        partitions = config.partitions
        self.picture = picture
        self.hosted = hosted
    }

    var json: JSONWriter {
        var json = JSONWriter()
        json.raw("{\"cluster\":")
        if let cluster { json.string(cluster) } else { json.raw("null") }
        json.raw(",\"node\":")
        json.string(node)
        json.raw(",\"epoch\":")
        json.integer(picture.epoch)
        json.raw(",\"view\":")
        json.string(Lineage(picture.view).description)
        json.raw(",\"partitions\":")
        json.integer(partitions)
        json.raw(",\"members\":")
        writeMembers(into: &json)
        if hosted != nil {
            json.raw(",\"totals\":")
            writeTotals(into: &json)
        }
        json.raw(",\"shards\":")
        writeShards(into: &json)
        json.raw("}")
        return json
    }

    private var shards: [ShardStatus] { hosted ?? [] }

    private func writeShards(into json: inout JSONWriter) {
        let here = Dictionary(uniqueKeysWithValues: shards.map { ($0.partition.number, $0) })
        json.list(Array(picture.places.enumerated())) { json, place in
            json.raw("{\"shard\":")
            json.integer(place.offset)
            json.comma()
            write(place.element, into: &json)
            if let shard = here[place.offset] { write(shard, into: &json) }
            json.raw("}")
        }
    }

    /// Every row that reached the log, by what became of it.
    private func writeTotals(into json: inout JSONWriter) {
        let streams = shards.flatMap(\.streams)
        json.raw("{\"streams\":")
        json.integer(streams.count)
        json.raw(",")
        json.raw("\"points\":")
        json.integer(streams.reduce(0) { $0 + $1.seq })
        json.comma()
        write(streams.map(\.counts).reduce(into: .init()) { $0.add($1) }, into: &json)
        json.raw(",\"repeats\":")
        json.integer(streams.reduce(0) { $0 + $1.repeats })
        json.raw(",\"refused\":")
        json.integer(shards.reduce(0) { $0 + $1.accounting.refusedTotal })
        json.raw(",\"refused_by_reason\":{")
        let reasons = Refusal.Reason.allCases.map { reason in
            (reason, shards.reduce(0) { $0 + ($1.accounting.refused[reason] ?? 0) })
        }
        for (index, (reason, count)) in reasons.filter({ $0.1 > 0 }).enumerated() {
            if index > 0 { json.comma() }
            json.key(reason.rawValue)
            json.integer(count)
        }
        json.raw("},\"state_hash\":")
        json.string(Lineage(totalHash).description)
        json.raw("}")
    }

    /// One hash for all streams of the node, whatever partition they are in.
    private var totalHash: UInt64 {
        var writer = BinaryWriter()
        for stream in shards.flatMap(\.streams).sorted(by: { $0.id < $1.id }) {
            writer.write(stream.id.description)
            writer.write(stream.stateHash)
        }
        return StableHash.hash(writer.bytes)
    }

    private func write(_ shard: ShardStatus, into json: inout JSONWriter) {
        json.raw(",\"lineage\":")
        if let lineage = shard.lineage { json.string(Lineage(lineage).description) } else { json.raw("null") }
        json.raw(",\"offset\":")
        json.integer(shard.next.value)
        json.raw(",\"state_hash\":")
        json.string(Lineage(shard.stateHash).description)
        json.raw(",\"streams\":")
        json.list(shard.streams) { write($1, into: &$0) }
    }

    private func write(_ stream: StreamStatus, into json: inout JSONWriter) {
        json.raw("{\"stream\":")
        json.string(stream.id.description)
        json.raw(",\"seq\":")
        json.integer(stream.seq)
        json.raw(",")
        write(stream.counts, into: &json)
        json.raw(",\"repeats\":")
        json.integer(stream.repeats)
        json.raw(",\"state_hash\":")
        json.string(Lineage(stream.stateHash).description)
        json.raw(",\"insight\":")
        if stream.insight.isEmpty { json.raw("null") } else { json.raw(stream.insight) }
        json.raw("}")
    }

    private func write(_ counts: PointAssembler.Counters, into json: inout JSONWriter) {
        let named = [
            ("rows", counts.rows), ("duplicates", counts.duplicates), ("late", counts.late),
            ("stamped_alike", counts.stampedAlike), ("clock_jumps", counts.clockJumps),
            ("extras_dropped", counts.extrasDropped),
        ]
        for (index, (name, value)) in named.enumerated() {
            if index > 0 { json.comma() }
            json.key(name)
            json.integer(value)
        }
    }
}

extension PointAssembler.Counters {
    fileprivate mutating func add(_ other: PointAssembler.Counters) {
        rows += other.rows
        duplicates += other.duplicates
        late += other.late
        stampedAlike += other.stampedAlike
        clockJumps += other.clockJumps
        extrasDropped += other.extrasDropped
    }
}
