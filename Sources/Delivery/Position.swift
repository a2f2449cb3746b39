import Telemetry

/// Names the log that a seq counts in; another lineage is another history. Sixteen hex digits on the wire.
package struct Lineage: Hashable, Sendable, CustomStringConvertible {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }

    package init?(_ text: String) {
        guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else { return nil }
        self.value = value
    }

    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// How far a client is in one stream: a watermark per kind of output.
///
/// A watermark per kind, because a telemetry frame of many points travels whole and the insights said within it travel
/// beside it; either may be handled when the connection goes.
package struct Position: Hashable, Sendable {
    package var lineage: Lineage
    /// All points up to here are handled.
    package var seq: UInt64
    /// All insights up to here are handled. It may lag behind `seq`: a frame of points arrives before what was said in it.
    package var insight: UInt64
    package var alert: UInt64

    /// - Parameters insight, alert: absent: everything that belongs to the points up to `seq` is handled.
    package init(lineage: Lineage, seq: UInt64, insight: UInt64? = nil, alert: UInt64? = nil) {
        self.lineage = lineage
        self.seq = seq
        self.insight = insight ?? seq
        self.alert = alert ?? seq
    }

    package subscript(_ kind: OutputKind) -> UInt64 {
        get {
            switch kind {
            case .point: seq
            case .insight: insight
            case .alert: alert
            }
        }
        set {
            switch kind {
            case .point: seq = newValue
            case .insight: insight = newValue
            case .alert: alert = newValue
            }
        }
    }
}
