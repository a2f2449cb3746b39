import Insight
import Telemetry

/// A car made for a test: it drives at an even speed and sends points with every channel.
struct Car {
    var point = Point()
    var engine: ChassisEngine
    var outputs = EngineOutputs()
    /// Everything said so far, as it was said.
    var insights: [String] = []
    var alerts: [String] = []

    init(_ id: String = "GR86-006-7", track: String? = "barber", tracks: TrackTable = .builtIn) {
        engine = ChassisEngine(stream: StreamID(.chassis, id), tracks: tracks)
        point.track = track
    }

    static let start: Int64 = 1_757_183_000_000_000

    mutating func send(
        lap: Lap?, at seconds: Double, _ channels: [Channel: Double] = [:], carTime: Double? = nil
    ) {
        point.seq += 1
        point.lap = lap
        point.time = Timestamp(microseconds: Car.start + Int64((seconds * 1_000_000).rounded()))
        point.metaTime = point.time
        point.carTime = carTime.map { Timestamp(microseconds: Car.start + Int64(($0 * 1_000_000).rounded())) }
        point.sampled = ChannelValues()
        for (channel, value) in channels { point.sampled[channel] = value }
        point.held.merge(point.sampled)
        send(point)
    }

    mutating func send(_ point: Point) {
        outputs.removeAll()
        engine.apply(point, into: &outputs)
        if !outputs.insight.isEmpty { insights.append(String(decoding: outputs.insight.bytes, as: UTF8.self)) }
        if !outputs.alerts.isEmpty { alerts.append(String(decoding: outputs.alerts.bytes, as: UTF8.self)) }
    }

    /// Drives whole laps of the given times at `rate` points per second, from `seconds` on.
    /// - Returns: when the last of them ended.
    @discardableResult
    mutating func drive(
        laps: some Sequence<(number: Lap, seconds: Double)>, from seconds: Double = 0, length: Double = 3_674.7,
        rate: Double = 5
    ) -> Double {
        var begin = seconds
        for lap in laps {
            var at = (begin * rate).rounded(.up) / rate
            while at < begin + lap.seconds {
                let part = (at - begin) / lap.seconds
                send(
                    lap: lap.number, at: at,
                    [.lapDistance: part * length, .speed: length / lap.seconds * 3.6, .accelerationX: 0.1])
                at += 1 / rate
            }
            begin += lap.seconds
        }
        return begin
    }

    var insight: String {
        var json = JSONWriter()
        engine.writeInsight(into: &json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    var state: [UInt8] {
        var writer = BinaryWriter()
        engine.encode(into: &writer)
        return writer.bytes
    }
}
