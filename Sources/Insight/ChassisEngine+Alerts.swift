import Telemetry

/// When alerts are raised, get worse or better, and are cleared.
///
/// Stress and consistency belong to a lap and begin anew with each, so they are raised (or get worse) as soon as the
/// current lap shows it, and cleared (or get better) only by a whole lap that shows less, with a margin: no flicker at
/// the line. The trend is looked at once per whole lap and cleared at half its threshold.
extension ChassisEngine {
    static let consistencyMin = 80.0
    /// 2 points above, so that a value at the limit does not flicker.
    static let consistencyCleared = 82.0
    static let consistencyPointsMin: UInt32 = 20
    static let trendCleared = -1.0
    /// A tyre wear alert gets better only when 10 % more laps are left than its limit asks.
    static let wearMargin = 1.1

    /// Runs for every point of a known lap.
    mutating func judgeLap() {
        if lap.stress >= wearLimit { judgeWear() }
        if !isInconsistent, lap.pace.count >= ChassisEngine.consistencyPointsMin,
            lap.pace.isLessConsistent(than: ChassisEngine.consistencyMin)
        {
            isInconsistent = true
            alerts.set(.lowConsistency, .low, value: lap.pace.consistency, lap: lap.number, seq: seq)
        }
    }

    private mutating func judgeWear() {
        let lapsLeft = TyreWear.lapsUntilHalfSecond(loss: TyreWear.predictedLoss(stress: lap.stress))
        let severity = TyreWear.severity(lapsLeft: lapsLeft)
        guard severity > alerts.severity(of: .tyreWear) else { return }
        alerts.set(.tyreWear, severity, value: lapsLeft, lap: lap.number, seq: seq)
        wearLimit = TyreWear.stressToExceed(severity)
    }

    /// A lap is over; seen whole, it may take alerts back.
    mutating func judgeFinishedLap() {
        judgeTrend()
        guard !lap.isInterrupted, lap.opening == .exact else { return }
        let lapsLeft = TyreWear.lapsUntilHalfSecond(loss: TyreWear.predictedLoss(stress: lap.stress))
        let severity = TyreWear.severity(lapsLeft: lapsLeft / ChassisEngine.wearMargin)
        if severity < alerts.severity(of: .tyreWear) {
            alerts.set(.tyreWear, severity, value: lapsLeft, lap: lap.number, seq: seq)
            wearLimit = TyreWear.stressToExceed(severity)
        }
        if isInconsistent, lap.pace.count >= ChassisEngine.consistencyPointsMin,
            !lap.pace.isLessConsistent(than: ChassisEngine.consistencyCleared)
        {
            isInconsistent = false
            alerts.set(.lowConsistency, .none, value: lap.pace.consistency, lap: lap.number, seq: seq)
        }
    }

    private mutating func judgeTrend() {
        guard !lap.isInterrupted, !lap.hasStopped, lap.opening != .partial, lap.speed.count > 0 else { return }
        trend.add(lapMean: lap.speed.mean)
        guard let difference = trend.difference else { return }
        if difference < -SpeedTrend.threshold {
            alerts.set(.degradingTrend, .medium, value: difference, lap: lap.number, seq: seq)
        } else if difference > ChassisEngine.trendCleared {
            alerts.set(.degradingTrend, .none, value: difference, lap: lap.number, seq: seq)
        }
    }
}
