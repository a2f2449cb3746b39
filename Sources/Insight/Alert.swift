import Telemetry

/// A warning about one car: raised once, kept until it is cleared, never repeated.
struct Alert: Sendable, Equatable {
    enum Kind: UInt8, CaseIterable, Sendable {
        case tyreWear, degradingTrend, lowConsistency

        /// The first part of an id.
        var name: StaticString {
            switch self {
            case .tyreWear: "tyre_wear"
            case .degradingTrend: "degrading_trend"
            case .lowConsistency: "low_consistency"
            }
        }
        /// Pitwall's word for it.
        var type: StaticString { self == .tyreWear ? "tire_wear" : "performance" }
    }

    enum Severity: UInt8, Comparable, Sendable {
        case none, low, medium, high, critical

        var name: StaticString {
            switch self {
            case .none: "none"
            case .low: "low"
            case .medium: "medium"
            case .high: "high"
            case .critical: "critical"
            }
        }
        static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
    }

    enum State: UInt8, Sendable {
        case raised, changed, cleared

        var name: StaticString {
            switch self {
            case .raised: "raised"
            case .changed: "changed"
            case .cleared: "cleared"
            }
        }
    }

    let kind: Kind
    /// Alerts of a stream are numbered 1, 2, 3, …; an alert keeps its number.
    let number: UInt32
    /// Where it was raised.
    let since: UInt64
    fileprivate(set) var severity: Severity
    fileprivate(set) var state: State
    /// What it was judged by: laps until 0.5 s are lost, km/h, or %.
    fileprivate(set) var value: Double
    /// The lap it was raised or last changed in; 0 outside known laps.
    fileprivate(set) var lap: Lap
}

/// The alerts of one stream: those that stand, and those that changed at this point.
struct AlertBook: Sendable {
    /// At most one of each kind, in the order of the kinds.
    private(set) var active: [Alert] = []
    /// Changed or cleared since `settle()`.
    private(set) var news: [Alert] = []
    private var lastNumber: UInt32 = 0

    init() {}

    func severity(of kind: Alert.Kind) -> Alert.Severity { active.first { $0.kind == kind }?.severity ?? .none }

    mutating func forgetNews() { news.removeAll(keepingCapacity: true) }

    /// Sets how bad it is now; nothing happens when it is as bad as before.
    mutating func set(_ kind: Alert.Kind, _ severity: Alert.Severity, value: Double, lap: Lap?, seq: UInt64) {
        guard let index = active.firstIndex(where: { $0.kind == kind }) else {
            if severity > .none { raise(kind, severity, value: value, lap: lap, seq: seq) }
            return
        }
        guard active[index].severity != severity else { return }
        active[index].value = value
        active[index].lap = lap ?? 0
        if severity == .none {
            active[index].state = .cleared
            news.append(active.remove(at: index))
        } else {
            active[index].severity = severity
            active[index].state = .changed
            news.append(active[index])
        }
    }

    mutating func clearAll(seq: UInt64) {
        while let alert = active.first { set(alert.kind, .none, value: alert.value, lap: alert.lap, seq: seq) }
    }

    private mutating func raise(
        _ kind: Alert.Kind, _ severity: Alert.Severity, value: Double, lap: Lap?, seq: UInt64
    ) {
        lastNumber &+= 1
        let alert = Alert(
            kind: kind, number: lastNumber, since: seq, severity: severity, state: .raised, value: value, lap: lap ?? 0)
        active.insert(alert, at: active.firstIndex { $0.kind.rawValue > kind.rawValue } ?? active.count)
        news.append(alert)
    }
}

// MARK: Snapshot format

extension AlertBook {
    /// `news` belongs to the point they came with and is empty between points.
    func encode(into writer: inout BinaryWriter) {
        writer.write(lastNumber)
        writer.write(UInt8(active.count))
        for alert in active {
            writer.write(alert.kind.rawValue)
            writer.write(alert.number)
            writer.write(alert.since)
            writer.write(alert.severity.rawValue)
            writer.write(alert.state.rawValue)
            writer.write(alert.value)
            writer.write(alert.lap)
        }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        lastNumber = try reader.read()
        let count: UInt8 = try reader.read()
        guard count <= Alert.Kind.allCases.count else { throw .invalid(what: "alerts", value: "\(count)") }
        for _ in 0..<count { active.append(try Alert(from: &reader)) }
    }
}

extension Alert {
    fileprivate init(from reader: inout BinaryReader) throws(BinaryError) {
        let rawKind: UInt8 = try reader.read()
        number = try reader.read()
        since = try reader.read()
        let rawSeverity: UInt8 = try reader.read()
        let rawState: UInt8 = try reader.read()
        guard let kind = Kind(rawValue: rawKind), let severity = Severity(rawValue: rawSeverity),
            let state = State(rawValue: rawState)
        else { throw .invalid(what: "alert", value: "\(rawKind), \(rawSeverity), \(rawState)") }
        self.kind = kind
        self.severity = severity
        self.state = state
        value = try reader.readDouble()
        lap = try reader.read()
    }
}
