import Telemetry

/// A lap a car has finished, with the parts its time is the sum of. All in s.
package struct CompletedLap: Sendable, Equatable {
    package let lap: Lap
    /// What the car and its driver do on fresh tyres.
    package let base: Double
    /// What the tyres have lost since lap 1.
    package let wear: Double
    /// What no model explains.
    package let noise: Double

    package var seconds: Double { base + wear + noise }
}

/// One car of a simulated race.
package struct RaceCar: Sendable {
    /// `GR86-<chassis>-<number>`.
    package let chassis: String
    package let profile: TyreWear
    /// The time of a lap on fresh tyres without noise, s.
    package let baseSeconds: Double
    /// 0 from the grid to the first crossing of the line, then 1, 2, 3, …
    package var lap: Lap { current.lap }
    /// In order, from lap 1.
    package private(set) var completedLaps: [CompletedLap] = []

    /// When the lap in progress began, s from the start of the race; negative on lap 0, which begins on the grid.
    private(set) var lapStart: Double
    private var current: CompletedLap

    /// - Parameter gridGap: how long the car needs from its grid slot to the line, s.
    init(chassis: String, profile: TyreWear, baseSeconds: Double, gridGap: Double) {
        self.chassis = chassis
        self.profile = profile
        self.baseSeconds = baseSeconds
        current = CompletedLap(lap: 0, base: baseSeconds, wear: 0, noise: 0)
        lapStart = gridGap - baseSeconds
    }

    /// How much of the lap in progress has passed at `time`, as a share of its duration, 0..<1.
    ///
    /// - Parameter time: s from the start of the race; never less than at the call before.
    mutating func lapShare(at time: Double, using random: inout some RandomNumberGenerator) -> Double {
        while time >= lapStart + current.seconds { startNextLap(using: &random) }
        return (time - lapStart) / current.seconds
    }

    /// How much slower than on fresh tyres the lap in progress is driven, 1 for not at all.
    var slowness: Double { current.seconds / baseSeconds }

    private mutating func startNextLap(using random: inout some RandomNumberGenerator) {
        lapStart += current.seconds
        if current.lap > 0 { completedLaps.append(current) }
        let next = current.lap + 1
        current = CompletedLap(
            lap: next, base: baseSeconds, wear: profile.lossPerLap * Double(next - 1),
            noise: lapNoise * random.normal())
    }
}

/// Standard deviation of a lap time, s: what a steady amateur driver shows on a clear track.
private let lapNoise = 0.15
