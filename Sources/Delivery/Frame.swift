import Telemetry

/// One text frame, encoded once and sent to any number of clients.
///
/// Room for a transport's header stands in front of the payload, so that sending copies nothing.
/// `@unchecked Sendable`: the payload is written in `init` and never after; the headroom belongs to whoever sends, and
/// only the one thread that owns the sockets does.
package final class Frame: @unchecked Sendable {
    /// Bytes before the payload that a transport may overwrite.
    package static let headroom = 32

    /// The payload, with `headroom` writable bytes before it.
    package let payload: UnsafeMutableRawBufferPointer
    /// What it carries; `nil`: a message about the connection.
    package let kind: OutputKind?
    /// The last seq in it.
    package let seq: UInt64

    package init(_ bytes: [UInt8], kind: OutputKind? = nil, seq: UInt64 = 0) {
        let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: Frame.headroom + bytes.count, alignment: 16)
        payload = UnsafeMutableRawBufferPointer(rebasing: storage[Frame.headroom...])
        payload.copyBytes(from: bytes)
        self.kind = kind
        self.seq = seq
    }

    deinit { (payload.baseAddress.map { $0 - Frame.headroom })?.deallocate() }

    package var count: Int { payload.count }
    package var text: String { String(decoding: payload, as: UTF8.self) }
}

/// What a stretch of a stream's outputs looks like on the wire: at most one frame of points, then what was said there.
package struct FrameGroup: Sendable {
    package let start: UInt64
    /// The ordinal after the last.
    package let end: UInt64
    package let frames: [Frame]

    package var byteCount: Int { frames.reduce(0) { $0 + $1.count } }
}

/// Puts outputs into frames. The buffers are reused.
package struct FrameEncoder: Sendable {
    private var points = JSONWriter(reserving: 64 << 10)
    private var message = JSONWriter(reserving: 64 << 10)

    package init() {}

    /// What a group holds at most before the next begins; one output may be larger than `bytes`.
    package static let groupLimit = (points: 256, bytes: 64 << 10)

    /// Encodes outputs from `start` on, until a limit or the end of the ring.
    ///
    /// - Parameter position: outputs at or below its watermark of their kind are left out.
    /// - Parameter kinds: what the subscription includes.
    package mutating func group(
        of stream: StreamID, _ lineage: Lineage, from ring: borrowing StreamRing, at start: UInt64,
        until limit: UInt64? = nil, after position: Position? = nil, kinds: [OutputKind]
    ) -> FrameGroup {
        points.removeAll()
        var (firstPrevious, lastSeq, pointCount, bytes) = (UInt64(0), UInt64(0), 0, 0)
        var said: [Frame] = []
        var ordinal = start
        let end = min(limit ?? ring.end, ring.end)
        while ordinal < end, pointCount < FrameEncoder.groupLimit.points {
            let entry = ring[ordinal]
            if bytes > 0, bytes + entry.count > FrameEncoder.groupLimit.bytes { break }
            ordinal += 1
            guard kinds.contains(entry.kind), position.map({ entry.seq > $0[entry.kind] }) ?? true else { continue }
            bytes += entry.count
            ring.withBytes(of: entry) { json in
                if entry.kind == .point {
                    if pointCount == 0 { firstPrevious = entry.previous } else { points.comma() }
                    points.raw(json)
                    lastSeq = entry.seq
                    pointCount += 1
                } else {
                    said.append(frame(entry, json, of: stream, lineage))
                }
            }
        }
        var frames: [Frame] = []
        if pointCount > 0 { frames.append(telemetry(of: stream, lineage, previous: firstPrevious, seq: lastSeq)) }
        return FrameGroup(start: start, end: ordinal, frames: frames + said)
    }

    /// The newest point alone, standing for `conflated` points.
    package mutating func conflated(
        _ entry: StreamRing.Entry, json: UnsafeRawBufferPointer, of stream: StreamID, _ lineage: Lineage,
        previous: UInt64, conflated: UInt64
    ) -> Frame {
        head("telemetry_update", stream, lineage, previous: previous, seq: entry.seq)
        message.raw(",\"conflated\":")
        message.integer(conflated)
        message.raw(",\"data\":[")
        message.raw(json)
        message.raw("]}")
        return Frame(message.bytes, kind: .point, seq: entry.seq)
    }

    /// One insight or alert update.
    package mutating func frame(
        _ entry: StreamRing.Entry, _ json: UnsafeRawBufferPointer, of stream: StreamID, _ lineage: Lineage
    ) -> Frame {
        let isInsight = entry.kind == .insight
        head(isInsight ? "insight_update" : "alert_update", stream, lineage, previous: entry.previous, seq: entry.seq)
        message.raw(",\"data\":")
        message.raw(json)
        if isInsight {
            message.raw(",\"meta\":{\"generated_at\":")
            message.timestamp(entry.time)
            message.raw("}")
        }
        message.raw("}")
        return Frame(message.bytes, kind: entry.kind, seq: entry.seq)
    }

    private mutating func telemetry(
        of stream: StreamID, _ lineage: Lineage, previous: UInt64, seq: UInt64
    ) -> Frame {
        head("telemetry_update", stream, lineage, previous: previous, seq: seq)
        message.raw(",\"data\":[")
        message.raw(points.bytes)
        message.raw("]}")
        return Frame(message.bytes, kind: .point, seq: seq)
    }

    private mutating func head(
        _ type: StaticString, _ stream: StreamID, _ lineage: Lineage, previous: UInt64, seq: UInt64
    ) {
        message.removeAll()
        message.raw("{\"type\":\"")
        message.raw(type)
        message.raw("\",\"stream\":")
        message.string(stream.description)
        message.raw(",\"lineage\":\"")
        message.raw(lineage.description.utf8)
        message.raw("\",\"prev\":")
        message.integer(previous)
        message.raw(",\"seq\":")
        message.integer(seq)
    }
}
