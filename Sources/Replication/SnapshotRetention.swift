import Telemetry

/// Which snapshots of a shard are kept: the newest few, from which it is restored, and older ones ever further apart, so
/// that outputs of any age are folded again from a place not much further back than they are, and as long as the log has
/// their records, whether or not it still has its first.
package enum SnapshotRetention {
    /// All of the newest are kept.
    package static let newest = 3

    /// Of older ones that which is furthest back in each fourth of a doubling of the distance, in records, to the newest:
    /// some 50 for a million records, and none of what lies behind has to be folded from more than twice as far back.
    ///
    /// - Parameter offsets: of those that are stored, the one saved last first. Those beyond its own are of a log that
    ///   was there before.
    /// - Returns: those to keep, in the same order.
    package static func kept(of offsets: [Offset]) -> [Offset] {
        guard let last = offsets.first else { return [] }
        let older = offsets.dropFirst(newest).filter { $0 < last }
        let spans = older.map { span(of: last.value - $0.value) }
        let furthest = older.indices.filter { $0 + 1 == older.count || spans[$0] != spans[$0 + 1] }
        return offsets.prefix(newest) + furthest.map { older[$0] }
    }

    /// Numbers the fourths of doublings: the place of the first bit that is set, and the two bits behind it.
    private static func span(of distance: Int64) -> Int64 {
        let doublings = Int64(Int64.bitWidth - distance.leadingZeroBitCount)
        return doublings << 2 | (doublings > 2 ? distance >> (doublings - 3) : distance) & 3
    }
}
