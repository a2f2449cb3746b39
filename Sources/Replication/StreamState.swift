import Insight
import Telemetry

/// Everything a replica knows of one stream. All of it is a fold over the stream's records.
///
/// A class, because a shard changes one of many in place for every record.
final class StreamState {
    let id: StreamID
    var assembler = PointAssembler()
    var sources = SourceWindows()
    var engine: ChassisEngine
    /// The seq at which each kind was last said.
    var lastSaid: [UInt64] = [0, 0, 0]
    var accounting = Accounting()

    /// The log record whose origin was last looked at, and what came of it: the rest of its elements go the same way.
    var judged: Offset?
    var judgedNew = true

    /// What happened to records on the way in. In snapshots, not in the state hash: after a failover a publisher repeats
    /// itself, and state must come out the same.
    package struct Accounting: Sendable, Equatable {
        package var repeats: UInt64 = 0
    }

    init(id: StreamID, tracks: TrackTable) {
        self.id = id
        engine = ChassisEngine(stream: id, tracks: tracks)
    }

    /// All that counts for equality: what was said of the points, and will be said of the next. Publishers' names and
    /// numbers are no part of it, so the same points give the same hash whoever sent them and however often.
    func encode(into writer: inout BinaryWriter) {
        assembler.encode(into: &writer)
        for seq in lastSaid { writer.write(seq) }
        engine.encode(into: &writer)
    }

    func encodeAll(into writer: inout BinaryWriter) {
        encode(into: &writer)
        sources.encode(into: &writer)
        writer.write(accounting.repeats)
    }

    init(id: StreamID, tracks: TrackTable, from reader: inout BinaryReader) throws(BinaryError) {
        self.id = id
        assembler = try PointAssembler(from: &reader)
        for index in 0..<3 { lastSaid[index] = try reader.read() }
        engine = try ChassisEngine(stream: id, tracks: tracks, from: &reader)
        sources = try SourceWindows(from: &reader)
        accounting.repeats = try reader.read()
    }

    var hash: UInt64 {
        var writer = BinaryWriter()
        encode(into: &writer)
        return StableHash.hash(writer.bytes)
    }
}
