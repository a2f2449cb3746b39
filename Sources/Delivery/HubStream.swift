import Telemetry

/// One stream as the hub sees it: its newest outputs, the frames made of them, and who reads them.
///
/// A class, for readers and sessions point at it; the hub is used by one thread only.
package final class HubStream {
    package let id: StreamID
    package let lineage: Lineage
    package internal(set) var ring: StreamRing
    /// The newest insight, as said; empty before the first.
    package internal(set) var insight: [UInt8] = []
    package internal(set) var insightTime: Timestamp?

    /// Outputs before this ordinal may be sent; later ones wait for the next flush.
    private(set) var flushed: UInt64 = 0
    /// Frames of the newest outputs, made once for all readers at the tip. In order, without holes, ending at `flushed`.
    private var groups: [FrameGroup] = []
    private var groupBytes = 0
    var readers: [Reader] = []
    var isDirty = false

    init(id: StreamID, lineage: Lineage, floor: [UInt64], capacity: Int) {
        self.id = id
        self.lineage = lineage
        ring = StreamRing(floor: floor, capacityMax: capacity)
    }

    /// What the stream has said so far, as a position.
    package var end: Position {
        Position(lineage: lineage, seq: ring.latest[0], insight: ring.latest[1], alert: ring.latest[2])
    }

    /// Lets readers have everything up to now.
    func flush(with encoder: inout FrameEncoder) {
        isDirty = false
        // Nobody listens: nothing is encoded. Who comes later is served from the ring.
        guard readers.contains(where: \.wantsSharedFrames) else {
            groups.removeAll()
            groupBytes = 0
            flushed = ring.end
            return
        }
        var start = max(flushed, ring.first)
        while start < ring.end {
            let group = encoder.group(of: id, lineage, from: ring, at: start, kinds: OutputKind.allCases)
            groups.append(group)
            groupBytes += group.byteCount
            start = group.end
        }
        flushed = ring.end
        while groupBytes > HubStream.groupBytesMax, groups.count > 1 { groupBytes -= groups.removeFirst().byteCount }
    }

    /// Another replica goes on with this stream. Where it is further than what was said here, the outputs between can
    /// only be had from the log; where it is not, it will say some of them again.
    /// - Returns: whether outputs are missing here.
    func resume(at floor: [UInt64], insight: [UInt8]) -> Bool {
        guard zip(floor, ring.latest).contains(where: { $0 > $1 }) else { return false }
        ring.restart(at: floor)
        flushed = ring.end
        groups.removeAll()
        groupBytes = 0
        self.insight = insight
        return true
    }

    /// The shared frames that begin at `ordinal`, if there are such.
    func sharedGroup(at ordinal: UInt64) -> FrameGroup? {
        guard let first = groups.first, ordinal >= first.start else { return nil }
        let index = Int((0..<UInt64(groups.count)).partitioningIndex { groups[Int($0)].start >= ordinal })
        return index < groups.count && groups[index].start == ordinal ? groups[index] : nil
    }

    private static let groupBytesMax = 256 << 10
}
