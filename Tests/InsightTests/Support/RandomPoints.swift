import Telemetry

/// SplitMix64: small, seeded, the same everywhere.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Near enough to standard normal for lap times: twelve uniform numbers less six have mean 0 and variance 1.
    mutating func normal() -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    }
}

/// A car's afternoon with everything that can go wrong with its points: lost laps, laps jumping forth and back, late
/// points, clocks that are missing, stand still or jump, channels that come and go, another track, another day.
struct RandomPoints {
    private var random: SeededRandom
    private var point = Point()
    private var lap: Lap = 1
    private var seconds = 0.0
    private var distance = 0.0
    private var carOffset = -86_400.0
    private var carStands = false

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        point.track = "barber"
    }

    mutating func next() -> Point {
        advance()
        point.seq += 1
        let late = chance(0.02) ? Double.random(in: 0..<3, using: &random) : 0
        let stamp = Timestamp(microseconds: Car.start + Int64((seconds - late) * 1_000_000))
        let isKnown = !chance(0.03)
        point.lap = !isKnown ? nil : late > 0 && chance(0.5) && lap > 1 ? lap - 1 : lap
        point.metaTime = chance(0.9) ? stamp : nil
        let car = carStands ? 0 : Int64((seconds - late) * 1_000_000)
        point.carTime = chance(0.9) ? Timestamp(microseconds: Car.start + Int64(carOffset * 1e6) + car) : nil
        point.time = point.metaTime ?? point.carTime ?? stamp
        point.sampled = ChannelValues()
        for channel in Channel.allCases where chance(0.5) { point.sampled[channel] = value(of: channel) }
        point.held.merge(point.sampled)
        return point
    }

    private mutating func advance() {
        let step = chance(0.002) ? Double.random(in: 5..<5_000, using: &random) : 0.2
        seconds += step
        distance += 40 * step
        if distance > 3_700 {
            distance = chance(0.3) ? 300 : 0
            lap += chance(0.1) ? 2 : 1
        }
        if chance(0.001) { lap = max(1, lap - Lap.random(in: 1...6, using: &random)) }
        if chance(0.002) { carStands.toggle() }
        if chance(0.001) { carOffset += Double.random(in: -7_200..<7_200, using: &random) }
        if chance(0.000_5) { point.track = ["barber", "cota", "nowhere"].randomElement(using: &random) }
    }

    private mutating func value(of channel: Channel) -> Double {
        switch channel {
        case .lapDistance: distance
        case .speed: chance(0.05) ? 0 : Double.random(in: 60..<220, using: &random)
        case .accelerationX, .accelerationY: Double.random(in: -2..<2, using: &random)
        case .steering: Double.random(in: -200..<200, using: &random)
        default: Double.random(in: 0..<100, using: &random)
        }
    }

    private mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &random) < probability
    }
}
