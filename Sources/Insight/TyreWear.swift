/// Pitwall's published estimates from the stress of a lap.
enum TyreWear {
    /// s per lap: round(stress × 0.00005, 3).
    static func predictedLoss(stress: Double) -> Double { (stress * 0.000_05).rounded(to: 1_000) }

    /// Laps: round(max(1, 0.5 / (loss or 0.01)), 2).
    static func lapsUntilHalfSecond(loss: Double) -> Double { max(1, 0.5 / (loss == 0 ? 0.01 : loss)).rounded(to: 100) }

    /// Below 2 laps critical, 5 high, 10 medium.
    static func severity(lapsLeft: Double) -> Alert.Severity {
        switch lapsLeft {
        case ..<2: .critical
        case ..<5: .high
        case ..<10: .medium
        default: .none
        }
    }

    /// Stress below which a lap cannot be worse than `severity`: saves judging every point.
    static func stressToExceed(_ severity: Alert.Severity) -> Double {
        switch severity {
        case .none, .low: 1_000
        case .medium: 2_000
        case .high: 5_000
        case .critical: .infinity
        }
    }
}
