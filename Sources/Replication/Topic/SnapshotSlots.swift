import Telemetry

/// What a topic's manifests say is there: per shard two slots, written in turn, so that one is whole while the other is
/// being written.
package struct SnapshotSlots: Sendable {
    package static let count = 2

    /// A manifest and where it stands. The later in the topic, the newer: offsets of the telemetry log begin again when
    /// its topic is made anew.
    package struct Place: Equatable, Sendable {
        package let manifest: SnapshotManifest
        package let at: Offset
    }

    private struct Slot {
        var at = Offset.unknown
        /// `nil`: there is none, or it cannot be read.
        var manifest: SnapshotManifest?
    }

    private var slots: [PartitionID: [Slot]] = [:]

    package init() {}

    package mutating func set(_ manifest: SnapshotManifest?, of shard: PartitionID, slot: Int, at offset: Offset) {
        guard (0..<SnapshotSlots.count).contains(slot) else { return }
        var all = slots[shard] ?? Array(repeating: Slot(), count: SnapshotSlots.count)
        // Two threads may read the topic, one behind the other.
        if all[slot].at < offset { all[slot] = Slot(at: offset, manifest: manifest) }
        slots[shard] = all
    }

    /// Newest first.
    package func newest(of shard: PartitionID) -> [Place] {
        (slots[shard] ?? []).compactMap { slot in slot.manifest.map { Place(manifest: $0, at: slot.at) } }
            .sorted { $0.at > $1.at }
    }

    /// The one to write next: not the one with the newest snapshot.
    package func next(of shard: PartitionID) -> Int {
        guard let slots = slots[shard], let newest = newest(of: shard).first else { return 0 }
        return slots.firstIndex { $0.at != newest.at } ?? 0
    }
}

/// Keys of a snapshot topic's records. `<log>/<shard>/<slot>/manifest`, `<log>/<shard>/<slot>/<chunk>`: a compacted topic
/// keeps the last of each.
package struct SnapshotKey: Equatable, Sendable {
    package let log: String
    package let shard: PartitionID
    package let slot: Int
    /// `nil`: the manifest.
    package let chunk: Int?

    package init(log: String, shard: PartitionID, slot: Int, chunk: Int?) {
        self.log = log
        self.shard = shard
        self.slot = slot
        self.chunk = chunk
    }

    package var bytes: [UInt8] { Array("\(log)/\(shard)/\(slot)/\(chunk.map { "\($0)" } ?? "manifest")".utf8) }

    package init?(_ bytes: some Sequence<UInt8>) {
        let parts = String(decoding: Array(bytes), as: UTF8.self).split(
            separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, let shard = Int(parts[1]), shard >= 0, let slot = Int(parts[2]) else { return nil }
        let chunk = Int(parts[3])
        guard chunk != nil || parts[3] == "manifest" else { return nil }
        self.init(log: String(parts[0]), shard: PartitionID(shard), slot: slot, chunk: chunk)
    }
}
