import Telemetry

/// `/ws/realtime`: every chassis in Pitwall's two messages, for whoever connects.
///
/// For looking, not for keeping: a client that lags more than the bound misses frames, and they are counted. The frames
/// are encoded once, and only while somebody is connected; a client is a place in them.
package struct RealtimeFeed {
    package struct Limits: Sendable {
        /// A frame of points goes out at this many, …
        package var points = 40
        /// … or when its first point has waited this long.
        package var pointsMicroseconds: Int64 = 300_000
        /// How often insights go out.
        package var insightsMicroseconds: Int64 = 600_000
        /// How many bytes a client may lag.
        package var lagBytes = 2_000_000
        package init() {}
    }

    private let limits: Limits
    private var frames: [Frame] = []
    private var firstFrame: UInt64 = 0
    private var frameBytes = 0
    private var places: [SessionID: UInt64] = [:]
    private var points = JSONWriter(reserving: 16 << 10)
    private var pointCount = 0
    private var pointsSince: Timestamp?
    private var insightsSent: Timestamp?
    private var moved: [StreamID: HubStream] = [:]
    private var shards: Set<Int> = []
    /// Frames that slow clients missed.
    package private(set) var framesMissed: UInt64 = 0

    package init(limits: Limits = Limits()) { self.limits = limits }

    package var clientCount: Int { places.count }
    package var clients: [SessionID] { Array(places.keys) }

    package mutating func open(_ id: SessionID) { places[id] = firstFrame + UInt64(frames.count) }
    package mutating func close(_ id: SessionID) {
        places.removeValue(forKey: id)
        if places.isEmpty { clear() }
    }

    /// From now on what a shard says comes here: what it says meanwhile, when its source changes, is news too.
    package mutating func follow(_ shard: Int) { if !places.isEmpty { shards.insert(shard) } }
    package func follows(_ shard: Int) -> Bool { shards.contains(shard) }

    /// Takes a shard's outputs; `streams` are the shard's, by number.
    /// - Returns: whether there is a new frame.
    package mutating func absorb(
        _ batch: borrowing OutputBatch, streams: (Int32) -> HubStream, now: Timestamp
    ) -> Bool {
        guard !places.isEmpty else { return false }
        let before = frames.count
        batch.bytes.withUnsafeBytes { bytes in
            for entry in batch.entries {
                let json = UnsafeRawBufferPointer(rebasing: bytes[entry.start..<entry.start + entry.count])
                switch entry.kind {
                case .point: add(json, now)
                case .insight:
                    let stream = streams(entry.stream)
                    moved[stream.id] = stream
                case .alert: break
                }
            }
        }
        return frames.count != before
    }

    /// Sends what has waited long enough.
    /// - Returns: whether there is a new frame.
    /// - Parameters now, wall: a clock that only goes forward, and the time of day for people.
    package mutating func tick(now: Timestamp, wall: Timestamp) -> Bool {
        guard !places.isEmpty else { return false }
        let before = firstFrame + UInt64(frames.count)
        if let since = pointsSince, now.microseconds - since.microseconds >= limits.pointsMicroseconds { sendPoints() }
        if now.microseconds - (insightsSent?.microseconds ?? .min / 2) >= limits.insightsMicroseconds, !moved.isEmpty {
            insightsSent = now
            sendInsights(wall)
        }
        return firstFrame + UInt64(frames.count) != before
    }

    /// The next frame for a client; `nil` when it has all.
    package mutating func nextFrame(for id: SessionID) -> Frame? {
        guard let place = places[id] else { return nil }
        if place < firstFrame { framesMissed += firstFrame - place }
        let index = Int(max(place, firstFrame) - firstFrame)
        guard index < frames.count else {
            places[id] = firstFrame + UInt64(frames.count)
            return nil
        }
        places[id] = firstFrame + UInt64(index) + 1
        return frames[index]
    }

    private mutating func add(_ json: UnsafeRawBufferPointer, _ now: Timestamp) {
        if pointCount > 0 { points.comma() }
        if pointsSince == nil { pointsSince = now }
        points.raw(json)
        pointCount += 1
        if pointCount >= limits.points { sendPoints() }
    }

    private mutating func sendPoints() {
        var message = JSONWriter(reserving: points.bytes.count + 64)
        message.raw("{\"type\":\"telemetry_update\",\"data\":[")
        message.raw(points.bytes)
        message.raw("]}")
        points.removeAll()
        pointCount = 0
        pointsSince = nil
        push(Frame(message.bytes))
    }

    private mutating func sendInsights(_ wall: Timestamp) {
        var message = JSONWriter(reserving: 4_096)
        message.raw("{\"type\":\"insight_update\",\"data\":[")
        for (index, stream) in moved.values.sorted(by: { $0.id < $1.id }).enumerated() {
            if index > 0 { message.comma() }
            message.raw(stream.insight)
        }
        message.raw("],\"meta\":{\"generated_at\":")
        message.timestamp(wall)
        message.raw(",\"vehicle_count\":")
        message.integer(moved.count)
        message.raw("}}")
        moved.removeAll(keepingCapacity: true)
        push(Frame(message.bytes))
    }

    private mutating func push(_ frame: Frame) {
        frames.append(frame)
        frameBytes += frame.count
        dropRead()
        while frameBytes > limits.lagBytes, frames.count > 1 { dropFirst(1) }
    }

    /// Lets go of what everybody has.
    private mutating func dropRead() {
        let slowest = places.values.min() ?? firstFrame
        if slowest > firstFrame + 64 { dropFirst(Int(slowest - firstFrame)) }
    }

    private mutating func dropFirst(_ count: Int) {
        frameBytes -= frames.prefix(count).reduce(0) { $0 + $1.count }
        frames.removeFirst(count)
        firstFrame += UInt64(count)
    }

    private mutating func clear() {
        firstFrame += UInt64(frames.count)
        frames = []
        frameBytes = 0
        shards = []
        points.removeAll()
        pointCount = 0
        pointsSince = nil
        moved = [:]
    }
}
