import Telemetry

/// What the serving thread counts.
struct ServiceMetrics {
    /// Telemetry records taken by this node since it began.
    var accepted: UInt64 = 0
    var refused: [Refusal.Reason: UInt64] = [:]
    var outputs: UInt64 = 0
    var overloaded: UInt64 = 0
    /// Bodies and publishes that the log could not store.
    var appendsFailed: UInt64 = 0
    var appendFailureTold: Timestamp?
    var violations: UInt64 = 0
    var requests: UInt64 = 0
    let startedAt = Timestamp.monotonic

    var refusedTotal: UInt64 { refused.values.reduce(0, +) }

    mutating func refuse(_ reason: Refusal.Reason, count: UInt64) { refused[reason, default: 0] += count }
}

/// Writes Prometheus' text format. Source: prometheus.io, "Exposition formats", version 0.0.4.
struct MetricsPage {
    private(set) var text = ""

    enum Kind: String { case counter, gauge }

    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
    ) {
        text += "# HELP slipstream_\(name) \(help)\n# TYPE slipstream_\(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.0)=\"\(MetricsPage.escape($0.1))\"" }.joined(separator: ",")
            let value = Int64(exactly: sample.value).map(String.init) ?? "\(sample.value)"
            text += "slipstream_\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(value)\n"
        }
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        add(name, kind, help, [([], value)])
    }
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: UInt64) {
        add(name, kind, help, Double(value))
    }

    private static func escape(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
