import Delivery
import Telemetry

/// What a subscription gives, in the order of each stream.
///
/// Asking for the next update says that this one is handled: only then does the position advance.
public enum Update: Sendable {
    /// Points as they were published.
    case telemetry(TelemetryUpdate)
    /// What the engine says about its stream.
    case insight(InsightUpdate)
    /// Alerts raised and cleared.
    case alerts(AlertsUpdate)
    /// Something cannot be given any more, for example because it fell out of the log's retention. It never comes
    /// unsaid: go on from the state in here.
    case resync(Resync)

    /// `chassis/GR86-006-7`.
    public var stream: String { streamID.description }

    /// The last seq in it.
    public var seq: UInt64 {
        switch self {
        case .telemetry(let update): update.seq
        case .insight(let update): update.seq
        case .alerts(let update): update.seq
        case .resync(let update): update.seq
        }
    }

    var streamID: StreamID {
        switch self {
        case .telemetry(let update): update.streamID
        case .insight(let update): update.streamID
        case .alerts(let update): update.streamID
        case .resync(let update): update.streamID
        }
    }

    /// What finishing it means for the position.
    var mark: StreamCursor.Mark {
        switch self {
        case .telemetry(let update): .output(.point, seq: update.seq)
        case .insight(let update): .output(.insight, seq: update.seq)
        case .alerts(let update): .output(.alert, seq: update.seq)
        case .resync(let update): .resync(update.position)
        }
    }

    /// Bytes it keeps in memory.
    var byteCount: Int {
        switch self {
        case .telemetry(let update): update.points.byteCount
        case .insight(let update): update.insight.bytes.count
        case .alerts(let update): update.byteCount
        case .resync(let update): update.state?.bytes.count ?? 0
        }
    }
}

/// Points of one stream, all that came in one frame.
public struct TelemetryUpdate: Sendable {
    let streamID: StreamID
    let lineage: Lineage
    /// In order of seq, without gaps; with ``DeliveryBehavior/latest`` only the newest.
    public let points: TelemetryPoints
    /// How many points this one stands for; more than 1 only with ``DeliveryBehavior/latest``.
    public let conflated: UInt64

    public var stream: String { streamID.description }
    /// Of the last point.
    public var seq: UInt64 { points.lastSeq }
}

/// One insight: what an engine says at a point. Its fields are in docs/insights.md.
public struct InsightUpdate: Sendable {
    let streamID: StreamID
    /// Of the point it was said at.
    public let seq: UInt64
    /// The time of that point.
    public let generatedAt: UTCTime?
    public let insight: JSONObject

    public var stream: String { streamID.description }

    /// A number in the insight, for example `insight["lap_tire_stress"]`.
    public subscript(_ name: String) -> Double? { insight[name] }
}

/// Alerts raised and cleared at one point.
public struct AlertsUpdate: Sendable {
    let streamID: StreamID
    let byteCount: Int
    /// Of the point they were said at.
    public let seq: UInt64
    public let alerts: [JSONObject]

    public var stream: String { streamID.description }
}

/// What lies between your position and `seq` cannot be given; go on from `state`.
public struct Resync: Sendable {
    let streamID: StreamID
    let position: Position
    /// `log_truncated`, `lineage_changed`, …
    public let reason: String
    /// The latest insight, if there is one.
    public let state: JSONObject?

    public var stream: String { streamID.description }
    /// The next point has this plus 1.
    public var seq: UInt64 { position.seq }
}
