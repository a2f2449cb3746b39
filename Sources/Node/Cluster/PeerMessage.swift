import Delivery
import Telemetry

/// What a node sends to another that follows its shards, one binary message each.
///
/// The other way there are two small texts: a `FollowOrder` and `{"unfollow":n}`.
enum PeerMessage {
    case beat
    /// The shard as it was a while ago, and what it has said since; more comes from here on.
    case restored(shard: Int, lineage: UInt64?, streams: [RestoredStream], tail: OutputBatch)
    case outputs(shard: Int, lineage: UInt64, OutputBatch)
    /// The shard is not, or no longer, live here.
    case gone(shard: Int)

    static let path = "/v1/peer"

    var encoded: [UInt8] {
        var writer = BinaryWriter()
        switch self {
        case .beat: writer.write(UInt8(0))
        case .restored(let shard, let lineage, let streams, let tail):
            writer.write(UInt8(1))
            writer.write(UInt32(shard))
            writer.write(lineage) { $0.write($1) }
            writer.write(UInt32(streams.count))
            for stream in streams { stream.encode(into: &writer) }
            tail.encode(into: &writer)
        case .outputs(let shard, let lineage, let outputs):
            writer = BinaryWriter(reserving: outputs.bytes.count + outputs.entries.count * 40 + 64)
            writer.write(UInt8(2))
            writer.write(UInt32(shard))
            writer.write(lineage)
            outputs.encode(into: &writer)
        case .gone(let shard):
            writer.write(UInt8(3))
            writer.write(UInt32(shard))
        }
        return writer.bytes
    }

    init(_ bytes: [UInt8]) throws(BinaryError) {
        var reader = BinaryReader(bytes)
        let kind: UInt8 = try reader.read()
        switch kind {
        case 0: self = .beat
        case 1:
            let shard: UInt32 = try reader.read()
            let lineage: UInt64? = try reader.readOptional { (reader) throws(BinaryError) in try reader.read() }
            let count: UInt32 = try reader.read()
            var streams: [RestoredStream] = []
            for _ in 0..<count { streams.append(try RestoredStream(from: &reader)) }
            let tail = try OutputBatch(from: &reader)
            try PeerMessage.check(tail, streamCount: streams.count)
            self = .restored(shard: Int(shard), lineage: lineage, streams: streams, tail: tail)
        case 2:
            let shard: UInt32 = try reader.read()
            let lineage: UInt64 = try reader.read()
            self = .outputs(shard: Int(shard), lineage: lineage, try OutputBatch(from: &reader))
        case 3:
            let shard: UInt32 = try reader.read()
            self = .gone(shard: Int(shard))
        default: throw .invalid(what: "kind of a peer's message", value: "\(kind)")
        }
    }

    private static func check(_ outputs: OutputBatch, streamCount: Int) throws(BinaryError) {
        guard outputs.newStreams.isEmpty, outputs.entries.allSatisfy({ (0..<streamCount).contains(Int($0.stream)) })
        else { throw .invalid(what: "stream of an output", value: "one beyond the \(streamCount) there are") }
    }
}

extension RestoredStream {
    fileprivate func encode(into writer: inout BinaryWriter) {
        writer.write(id.description)
        for watermark in watermarks { writer.write(watermark) }
        writer.write(insight)
    }

    fileprivate init(from reader: inout BinaryReader) throws(BinaryError) {
        let name = try reader.readString()
        guard let id = StreamID(name) else { throw .invalid(what: "stream", value: name) }
        self.init(
            id: id, watermarks: [try reader.read(), try reader.read(), try reader.read()],
            insight: Array(try reader.readBytes()))
    }
}
