import Insight
import Telemetry

extension Shard {
    /// What a snapshot's states were made by. Another engine, or other tracks, would have made other ones.
    package static func engineVersion(_ tracks: TrackTable) -> UInt32 {
        var writer = BinaryWriter()
        for track in tracks.all {
            writer.write(track.name)
            writer.write(track.length)
            for sector in track.sectors {
                writer.write(sector.start)
                writer.write(sector.end)
            }
        }
        return ChassisEngine.version << 16 | UInt32(StableHash.hash(writer.bytes) & 0xffff)
    }

    /// - Parameter time: the time of day, for people.
    package func snapshot(at time: Timestamp) -> Snapshot {
        var own = BinaryWriter()
        own.write(accounting.logRecords)
        own.write(accounting.tombstones)
        own.write(accounting.lost)
        own.write(UInt32(Refusal.Reason.allCases.count))
        for reason in Refusal.Reason.allCases { own.write(accounting.refused[reason] ?? 0) }
        let streams = states.enumerated().map { number, state in
            var writer = BinaryWriter()
            // Streams keep their numbers, in the order in which they were first seen.
            writer.write(UInt32(number))
            state.encodeAll(into: &writer)
            return Snapshot.Stream(name: state.id.description, state: writer.bytes)
        }
        return Snapshot(
            engineVersion: Shard.engineVersion(tracks), lineage: lineage, offset: next, time: time,
            stateHash: stateHash, streams: streams, shard: own.bytes)
    }

    /// - Throws: `.corrupt` when states cannot be read or do not have the hash they were stored with.
    package init(_ snapshot: Snapshot, partition: PartitionID, tracks: TrackTable) throws(SnapshotError) {
        self.init(partition: partition, tracks: tracks)
        do throws(BinaryError) {
            try restore(snapshot)
        } catch { throw .corrupt(reason: "\(error)") }
        guard stateHash == snapshot.stateHash else { throw .corrupt(reason: "its states have another hash") }
    }

    private mutating func restore(_ snapshot: Snapshot) throws(BinaryError) {
        lineage = snapshot.lineage
        var numbered: [(UInt32, StreamState)] = []
        for stream in snapshot.streams {
            guard let id = StreamID(stream.name) else { throw .invalid(what: "stream", value: stream.name) }
            var reader = BinaryReader(stream.state)
            let number: UInt32 = try reader.read()
            numbered.append((number, try StreamState(id: id, tracks: tracks, from: &reader)))
        }
        for (_, state) in numbered.sorted(by: { $0.0 < $1.0 }) { _ = insert(state) }
        resume(at: snapshot.offset, accounting: try Shard.accounting(snapshot.shard))
    }

    private static func accounting(_ bytes: [UInt8]) throws(BinaryError) -> Accounting {
        var reader = BinaryReader(bytes)
        var accounting = Accounting()
        accounting.logRecords = try reader.read()
        accounting.tombstones = try reader.read()
        accounting.lost = try reader.read()
        let count: UInt32 = try reader.read()
        for index in 0..<Int(count) {
            let refused: UInt64 = try reader.read()
            if index < Refusal.Reason.allCases.count, refused > 0 {
                accounting.refused[Refusal.Reason.allCases[index]] = refused
            }
        }
        return accounting
    }
}

/// Makes a shard of a stored snapshot: the newest, or another, that is intact and of this log and engine.
package struct ShardLoader {
    private let store: any SnapshotStore
    private let partition: PartitionID
    private let tracks: TrackTable
    private let expectation: Snapshot.Expectation

    package init(
        store: any SnapshotStore, partition: PartitionID, tracks: TrackTable, lineage: UInt64?,
        isLineageUnknown: Bool = false
    ) {
        self.store = store
        self.partition = partition
        self.tracks = tracks
        expectation = Snapshot.Expectation(
            engineVersion: Shard.engineVersion(tracks), lineage: lineage, isLineageUnknown: isLineageUnknown)
    }

    /// The newest that is intact and wanted.
    /// - Parameter skipped: is told of each that cannot be used, and why.
    package func newest(
        where isWanted: (Shard) -> Bool, skipped: (Offset, SnapshotError) -> Void = { _, _ in }
    ) throws(LogError) -> Shard? {
        first(in: try store.offsets(of: partition), where: isWanted, skipped: skipped)
    }

    package func oldest(where isWanted: (Shard) -> Bool) throws(LogError) -> Shard? {
        first(in: try store.offsets(of: partition).reversed(), where: isWanted, skipped: { _, _ in })
    }

    private func first(
        in offsets: [Offset], where isWanted: (Shard) -> Bool, skipped: (Offset, SnapshotError) -> Void
    ) -> Shard? {
        SnapshotLoader.first(in: offsets, from: store, partition, expecting: expectation, skipped: skipped) {
            (snapshot) throws(SnapshotError) in
            let shard = try Shard(snapshot, partition: partition, tracks: tracks)
            return isWanted(shard) ? shard : nil
        }
    }
}
