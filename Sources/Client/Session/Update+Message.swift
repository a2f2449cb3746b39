import Delivery
import Telemetry

extension Update {
    /// - Parameter skipping: how many of the points are repeats.
    init(_ message: OutputMessage, skipping: Int) {
        switch message.kind {
        case .point:
            var body = message.body
            body.elements = body.elements.dropFirst(skipping)
            self = .telemetry(
                TelemetryUpdate(
                    streamID: message.stream, lineage: message.lineage,
                    points: TelemetryPoints(body, lastSeq: message.seq), conflated: message.conflated ?? 1))
        case .insight:
            self = .insight(
                InsightUpdate(
                    streamID: message.stream, seq: message.seq, generatedAt: message.time.map(UTCTime.init),
                    insight: JSONObject(message.body.bytes, message.body.whole)))
        case .alert:
            self = .alerts(
                AlertsUpdate(
                    streamID: message.stream, byteCount: message.body.bytes.count, seq: message.seq,
                    alerts: JSONObject.objects(ofArrayAt: message.body.whole, in: message.body.bytes)))
        }
    }
}

extension Resync {
    init(_ message: ResyncMessage) {
        let (bytes, whole) = (message.state.bytes, message.state.whole)
        self.init(
            streamID: message.stream, position: message.position, reason: message.reason,
            state: bytes[whole.lowerBound] == UInt8(ascii: "{") ? JSONObject(bytes, whole) : nil)
    }
}

extension MessageBody {
    /// Where its only element stands.
    fileprivate var whole: Range<Int> { elements.first.map(slice) ?? 0..<bytes.count }
}
