import Telemetry

extension ChassisEngine {
    /// A JSON array, in the order given.
    func write(_ alerts: [Alert], into json: inout JSONWriter) {
        json.raw("[")
        for (index, alert) in alerts.enumerated() {
            if index > 0 { json.comma() }
            write(alert, into: &json)
        }
        json.raw("]")
    }

    private func write(_ alert: Alert, into json: inout JSONWriter) {
        json.raw("{\"id\":\"")
        json.raw(alert.kind.name)
        json.raw(":")
        json.contents(of: stream.id)
        json.raw(":")
        json.integer(Int(alert.number))
        json.raw("\",\"type\":\"")
        json.raw(alert.kind.type)
        json.raw("\",\"severity\":\"")
        json.raw(alert.severity.name)
        json.raw("\",\"message\":\"")
        writeMessage(of: alert, into: &json)
        json.raw("\",\"state\":\"")
        json.raw(alert.state.name)
        json.raw("\",\"since_seq\":")
        json.integer(alert.since)
        json.raw(",\"data\":{")
        json.raw(dataName(of: alert))
        json.number(alert.value, decimals: 2)
        json.raw(",\"lap\":")
        if alert.lap > 0 { json.integer(Int(alert.lap)) } else { json.raw("null") }
        json.raw("}}")
    }

    private func dataName(of alert: Alert) -> StaticString {
        switch alert.kind {
        case .tyreWear: "\"laps_until_0_5s_loss\":"
        case .degradingTrend: "\"speed_change_kmh\":"
        case .lowConsistency: "\"consistency\":"
        }
    }

    private func writeMessage(of alert: Alert, into json: inout JSONWriter) {
        switch (alert.kind, alert.state) {
        case (.tyreWear, .cleared): json.raw("Tyre wear is back to normal: 0.5 s lost in ")
        case (.tyreWear, _): json.raw("Tyre wear: 0.5 s lost in ")
        case (.degradingTrend, .cleared): json.raw("Speed no longer falls: mean changed by ")
        case (.degradingTrend, _): json.raw("Speed falls: mean changed by ")
        case (.lowConsistency, .cleared): json.raw("Speed is even again: consistency ")
        case (.lowConsistency, _): json.raw("Speed is uneven: consistency ")
        }
        json.number(alert.value, decimals: 2)
        switch alert.kind {
        case .tyreWear: json.raw(" laps")
        case .degradingTrend: json.raw(" km/h")
        case .lowConsistency: json.raw(" %")
        }
    }
}
