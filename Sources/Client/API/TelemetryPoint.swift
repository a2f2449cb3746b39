import Telemetry

/// One sample instant of one stream: the record as it was published, and its number.
///
/// ```swift
/// if let speed = point["speed_kmh"], speed > 200 { print(point.lap ?? 0, speed) }
/// ```
public struct TelemetryPoint: Sendable {
    /// 1, 2, 3, … within the stream.
    public let seq: UInt64
    /// Everything the record has.
    public let record: JSONObject

    /// A channel by its name in docs/insights.md, in the unit given there: `point["speed_kmh"]`.
    /// - Returns: `nil` when the record has no such channel.
    public subscript(_ channel: String) -> Double? { record[channel] }

    /// The receiver's clock (`meta_time`), else the car's (`timestamp`).
    public var time: UTCTime? {
        record.string("meta_time").flatMap(UTCTime.init) ?? record.string("timestamp").flatMap(UTCTime.init)
    }
    /// `nil` while the car's counter does not know, which it says with 32768.
    public var lap: Int? { record.integer("lap").flatMap { $0 == 32_768 ? nil : $0 } }
    public var track: String? { record.string("track") }
    /// The record's text as it arrived.
    public var json: String { record.json }
}

/// A point and the stream it belongs to.
@dynamicMemberLookup
public struct StreamPoint: Sendable {
    let streamID: StreamID
    public let point: TelemetryPoint

    /// `chassis/GR86-006-7`.
    public var stream: String { streamID.description }
    public subscript(_ channel: String) -> Double? { point[channel] }
    public subscript<Value>(dynamicMember path: KeyPath<TelemetryPoint, Value>) -> Value { point[keyPath: path] }
}

/// The points of one frame. They share its memory.
public struct TelemetryPoints: RandomAccessCollection, Sendable {
    private let body: MessageBody
    let lastSeq: UInt64

    init(_ body: MessageBody, lastSeq: UInt64) {
        self.body = body
        self.lastSeq = lastSeq
    }

    var byteCount: Int { body.bytes.count }

    public var startIndex: Int { 0 }
    public var endIndex: Int { body.elements.count }

    public subscript(_ index: Int) -> TelemetryPoint {
        precondition(indices.contains(index), "point \(index) of \(count)")
        let range = body.slice(body.elements[body.elements.startIndex + index])
        return TelemetryPoint(
            seq: lastSeq - UInt64(body.elements.count - 1 - index), record: JSONObject(body.bytes, range))
    }
}
