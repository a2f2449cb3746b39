import Telemetry

/// One record to publish: one car, one instant, any number of channels.
///
/// ```swift
/// TelemetryRecord(chassis: "GR86-006-7", time: now, track: "barber", lap: 3, channels: ["speed_kmh": 181.4])
/// ```
public struct TelemetryRecord: Sendable {
    public var chassis: String
    /// The receiver's clock; `nil`: when the node takes it.
    public var time: UTCTime?
    /// `barber`; `nil`: unknown.
    public var track: String?
    public var lap: Int?
    /// Names and units: docs/insights.md. Others are kept as they are.
    public var channels: [(name: String, value: Double)]

    public init(
        chassis: String, time: UTCTime? = nil, track: String? = nil, lap: Int? = nil,
        channels: KeyValuePairs<String, Double>
    ) {
        self.chassis = chassis
        self.time = time
        self.track = track
        self.lap = lap
        self.channels = channels.map { ($0.key, $0.value) }
    }

    /// The wide shape.
    func write(into json: inout JSONWriter) throws(SlipstreamError) {
        json.raw("{\"chassis\":")
        json.string(chassis)
        if let time {
            json.raw(",\"meta_time\":")
            json.timestamp(time.timestamp)
        }
        if let track {
            json.raw(",\"track\":")
            json.string(track)
        }
        if let lap {
            json.raw(",\"lap\":")
            json.integer(lap)
        }
        for (name, value) in channels {
            guard value.isFinite else { throw .badRecords("\(name) of \(chassis) is \(value)") }
            json.comma()
            json.key(name)
            json.number(value)
        }
        json.raw("}")
    }
}
