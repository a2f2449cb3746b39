import Delivery
import Telemetry

extension PeerMessage {
    /// Of one shard's newest outputs, for a node that begins to follow it; and of one stream's.
    private static let tailBytes = 4 << 20
    private static let tailBytesPerStream = 256 << 10
    /// To a node that has nothing of a stream yet. It joins, and all its shards begin at once: what is sent to it holds up
    /// the clients of all others.
    private static let tailBytesToNewcomer = 64 << 10

    /// A shard as it is now, with the newest outputs of its streams: so that clients of the other node find in its rings
    /// what they have not seen yet, and need not wait for the log.
    /// - Parameter has: what the other node has of these streams. One that was a replica until now has all but what is
    ///   under way; megabytes that it has would hold up the few bytes that it has not.
    static func restored(
        shard: Int, lineage: UInt64?, streams: [HubStream], toOneThatHas has: [StreamID: Position] = [:]
    ) -> PeerMessage {
        let share = min(tailBytesPerStream, tailBytes / max(1, streams.count))
        var outputs = OutputBatch()
        let restored = streams.enumerated().map { number, stream in
            let ring = stream.ring
            let known = has[stream.id].flatMap { $0.lineage == stream.lineage ? $0 : nil }
            let bytes = known == nil ? min(share, tailBytesToNewcomer) : share
            let (start, floor) = ring.tail(maxBytes: bytes, after: known)
            for ordinal in start..<ring.end {
                let entry = ring[ordinal]
                ring.withBytes(of: entry) { json in
                    outputs.append(
                        stream: Int32(number), kind: entry.kind, seq: entry.seq, previous: entry.previous,
                        time: entry.time, json: json)
                }
            }
            return RestoredStream(id: stream.id, watermarks: floor, insight: stream.insight)
        }
        return .restored(shard: shard, lineage: lineage, streams: restored, tail: outputs)
    }
}
