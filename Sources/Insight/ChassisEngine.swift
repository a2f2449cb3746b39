import Telemetry

/// Folds the points of one racing car into laps, tyre stress, times, trends and alerts (docs/insights.md).
///
/// Everything is kept as running sums of the current lap and of the one before it, so a point costs O(1) and allocates
/// nothing; memory is allocated when a lap begins or ends.
package struct ChassisEngine: Engine {
    package static let version: UInt32 = 2

    /// Seconds between insights when nothing happens.
    static let reportInterval = 0.6
    /// A lap's beginning is final when this many points have not moved it, or the next lap begins.
    static let settlingPoints: UInt32 = 64
    /// A beginning that was not seen takes longer, for a lap distance may still come and tell whether the car was near.
    static let settlingPointsUnseen: UInt32 = 1_024
    /// A point of the lap before, stamped no later than this after the line, is a latecomer. µs
    static let latenessGrace: Int64 = 5_000_000
    /// The lap counter may blink; only after this many points without a lap is the lap unknown.
    static let unknownLimit: UInt32 = 8

    let stream: StreamID
    let tracks: TrackTable

    var trackName: String?
    var track = TrackTable.fallback

    var clock = CarClock()
    var distance = LapDistance()
    var seq: UInt64 = 0
    var time = Timestamp(microseconds: 0)
    var speed: Double?
    var secondsSinceReport = 0.0

    // Not optionals: unwrapping one would copy it, for every point.
    var lap = LapTally.none
    var hasLap = false
    var lapBefore = LapTally.none
    var hasLapBefore = false
    var sector = 0
    /// Points that did not move the beginning of `lap`.
    var quietPoints: UInt32 = 0
    /// The beginning of `lap` is final.
    var isSettled = false
    var unknownPoints: UInt32 = 0
    /// Points of laps gone by that came too late to be counted there.
    package internal(set) var latePoints: UInt64 = 0

    package internal(set) var lastLap: LapResult? { didSet { lapsText.removeAll() } }
    package internal(set) var bestLap: LapResult? { didSet { lapsText.removeAll() } }
    package internal(set) var lapsCompleted: UInt32 = 0 { didSet { lapsText.removeAll() } }
    /// Laps that began, whole or not: those completed, the one the car is on, and those that were cut short.
    package internal(set) var lapsStarted: UInt32 = 0 { didSet { lapsText.removeAll() } }
    var degradation = Degradation() { didSet { lapsText.removeAll() } }
    /// What insights say of these five; empty when it has to be written anew. It follows from them, so it is no state.
    private(set) var lapsText = JSONWriter()
    var trend = SpeedTrend()
    var alerts = AlertBook() { didSet { alertsText.removeAll() } }
    private(set) var alertsText = JSONWriter()
    // Both follow from `alerts`, kept so that a point need not look there.
    var wearLimit = TyreWear.stressToExceed(.none)
    var isInconsistent = false

    package init(stream: StreamID, tracks: TrackTable) {
        self.stream = stream
        self.tracks = tracks
    }

    /// The lap the car is on, `nil` before the first; while the counter does not know, the last one it knew.
    package var lapNumber: Lap? { hasLap ? lap.number : nil }
    /// Of the current lap so far.
    package var lapTireStress: Double { lap.stress }
    package var perSectorStress: [Double] { lap.sectorStress }

    package mutating func apply(_ point: borrowing Point, into outputs: inout EngineOutputs) {
        seq = point.seq
        time = point.time
        let step = clock.advance(to: point)
        secondsSinceReport += step.seconds
        let changedTrack = enterTrack(of: point)
        if changedTrack || step.isNewSession { startSession() }
        if let held = point.held[.speed] { speed = held }

        var happened = false
        if let number = point.lap {
            unknownPoints = 0
            happened = place(point, lap: number, step)
        } else {
            loseLap()
        }
        if happened || secondsSinceReport >= ChassisEngine.reportInterval || !alerts.news.isEmpty {
            report(into: &outputs)
        }
    }

    private mutating func report(into outputs: inout EngineOutputs) {
        secondsSinceReport = 0
        writeTexts()
        writeInsight(into: &outputs.insight)
        guard !alerts.news.isEmpty else { return }
        write(alerts.news, into: &outputs.alerts)
        alerts.forgetNews()
    }

    /// Writes anew what has changed since the last insight.
    private mutating func writeTexts() {
        var text = JSONWriter()
        if lapsText.isEmpty {
            swap(&text, &lapsText)
            writeLaps(into: &text)
            swap(&text, &lapsText)
        }
        if alertsText.isEmpty {
            swap(&text, &alertsText)
            write(alerts.active, into: &text)
            swap(&text, &alertsText)
        }
    }

    // MARK: Which lap a point belongs to

    /// - Returns: whether something happened that is worth an insight.
    private mutating func place(_ point: borrowing Point, lap number: Lap, _ step: ClockStep) -> Bool {
        guard hasLap else {
            begin(number, follows: false, at: step.stamp)
            count(point, step)
            return true
        }
        if number == lap.number {
            if step.carJumped { lap.distrustCar() }
            let settled = settleAfter(extending: step.stamp)
            return count(point, step) || settled
        }
        if number < lap.number, isLatecomer(step.stamp, of: number) {
            return addLate(point, lap: number, step.stamp)
        }
        if number <= 1, lap.number > 3 {
            startSession()
            begin(number, follows: false, at: step.stamp)
        } else {
            finish(before: number, at: step)
        }
        count(point, step)
        return true
    }

    private mutating func loseLap() {
        guard unknownPoints < ChassisEngine.unknownLimit else { return }
        unknownPoints += 1
        if unknownPoints == ChassisEngine.unknownLimit { lap.isInterrupted = true }
    }

    private func isLatecomer(_ stamp: Stamp, of number: Lap) -> Bool {
        lap.isLate(stamp, grace: number == lap.number &- 1 ? ChassisEngine.latenessGrace : 0)
    }

    private mutating func addLate(_ point: borrowing Point, lap number: Lap, _ stamp: Stamp) -> Bool {
        guard hasLapBefore, lapBefore.number == number, !isSettled else {
            latePoints &+= 1
            return false
        }
        let sector = point.sampled[.lapDistance].map { track.sector(at: $0) } ?? max(0, track.sectors.count - 1)
        lapBefore.addLate(point.sampled, sector: sector)
        if lap.isLate(stamp, grace: 0) { _ = lapBefore.extend(to: stamp) }
        quietPoints = 0
        updateLastLap()
        return false
    }

    /// One point of the current lap. Returns whether the car entered another sector.
    @discardableResult
    private mutating func count(_ point: borrowing Point, _ step: ClockStep) -> Bool {
        let sampled = point.sampled[.lapDistance]
        distance.advance(seconds: step.seconds, distance: sampled, speed: point.sampled[.speed])
        let before = sector
        sector = track.sector(at: distance.metres)
        lap.add(point.sampled, heldSpeed: speed, seconds: step.seconds, sector: sector)
        if let sampled { note(distance: sampled, at: step.stamp) }
        judgeLap()
        return sector != before
    }

    private mutating func note(distance sampled: Double, at stamp: Stamp) {
        let mayTell = !isSettled && (!lap.hasDistance || lap.opening == .partial)
        lap.note(distance: sampled, travelled: distance.travelled, at: stamp, on: track, sector: sector)
        if mayTell { updateLastLap() }
    }

    // MARK: Laps begin and end

    private mutating func begin(_ number: Lap, follows: Bool, at stamp: Stamp) {
        lap = LapTally(number, follows: follows, at: stamp, on: track)
        hasLap = true
        lapsStarted &+= 1
        sector = 0
        quietPoints = 0
        isSettled = false
        distance.startLap()
    }

    /// The car is on another lap: the next one, or any other after a loss or a jump of the counter.
    private mutating func finish(before number: Lap, at step: ClockStep) {
        if !isSettled { settle() }
        // Whether a lap with none before it was seen from the line shows only when its points are complete.
        if !hasLapBefore { lap.open(after: nil) }
        let follows = lap.number &+ 1 == number && !lap.isInterrupted
        if number < lap.number { degradation.startStint() }
        if follows {
            lapsCompleted &+= 1
            judgeFinishedLap()
        }
        swap(&lap, &lapBefore)
        hasLapBefore = follows
        begin(number, follows: follows, at: step.stamp)
        if step.carJumped { lap.distrustCar() }
        updateLastLap()
    }

    /// - Returns: whether the beginning of this lap, and so the time of the one before, has just become final.
    private mutating func settleAfter(extending stamp: Stamp) -> Bool {
        let moved = lap.extend(to: stamp)
        guard !isSettled else { return false }
        if moved {
            quietPoints = 0
            updateLastLap()
            return false
        }
        quietPoints &+= 1
        if quietPoints == ChassisEngine.settlingPoints {
            updateLastLap()
            let awaitsDistance = hasLapBefore && lapBefore.hasDistance && !lap.hasDistance
            return lap.opening == .exact && !awaitsDistance ? settle() : false
        }
        return quietPoints == ChassisEngine.settlingPointsUnseen ? settle() : false
    }

    /// What the time of the lap before is, as far as the points so far tell.
    private mutating func updateLastLap() {
        lap.open(after: hasLapBefore ? lapBefore : nil)
        if hasLapBefore { lastLap = LapResult(of: lapBefore, until: lap) }
    }

    @discardableResult
    private mutating func settle() -> Bool {
        isSettled = true
        updateLastLap()
        guard hasLapBefore, var result = lastLap, result.number == lapBefore.number, !result.isSettled else {
            return false
        }
        result.isSettled = true
        lastLap = result
        let sure = result.isExact ? result.seconds : nil
        degradation.add(result.number, seconds: sure, stopped: lapBefore.hasStopped)
        if let sure, sure < bestLap?.seconds ?? .infinity { bestLap = result }
        return true
    }

    // MARK: Sessions and tracks

    /// Another run of the car, or another day: nothing of the laps before counts any more.
    private mutating func startSession() {
        lap = .none
        hasLap = false
        hasLapBefore = false
        isSettled = false
        quietPoints = 0
        lastLap = nil
        bestLap = nil
        lapsCompleted = 0
        lapsStarted = 0
        sector = 0
        unknownPoints = 0
        distance = LapDistance()
        degradation = Degradation()
        trend = SpeedTrend()
        alerts.clearAll(seq: seq)
        wearLimit = TyreWear.stressToExceed(.none)
        isInconsistent = false
    }

    /// - Returns: whether this is another track than before.
    private mutating func enterTrack(of point: borrowing Point) -> Bool {
        guard let name = point.track, name != trackName else { return false }
        let isFirst = trackName == nil && !hasLap
        trackName = name
        track = tracks[name] ?? TrackTable.fallback
        return !isFirst
    }
}
