import Telemetry

/// When a point was taken, on the two clocks it may have. µs since 1970.
struct Stamp: Sendable, Equatable {
    /// The car's clock; `nil` where the point has none or the clock stands still.
    var car: Int64?
    /// The receiver's clock, or what `Point.time` has in its place.
    var wall: Int64
}

/// What the clocks say about one point, given those before it.
struct ClockStep {
    let stamp: Stamp
    /// Since the newest point so far: 0 for late points, never above `CarClock.longestStep`.
    let seconds: Double
    /// The receiver's clock moved by more than an hour, either way.
    let isNewSession: Bool
    /// The car's clock moved by something else than the receiver's, by more than delivery can explain.
    let carJumped: Bool
}

/// Tells time within one car.
///
/// The car's clock is exact from sample to sample but may be days off, stand still or jump; the receiver's clock is
/// right but bursty: delivery lags by seconds, at worst by minutes. So intervals come from the car's clock unless it
/// stands still (`standingLimit` points of one stamp) or steps by more than `longestStep`, and from the receiver's
/// where it does.
struct CarClock: Sendable {
    /// 10 s. A longer step is a gap or a clock that was set; nothing is integrated over it.
    static let longestStep: Int64 = 10_000_000
    /// Samples stamped alike happen (2–8 % of TRD records, up to 24 points in a row); so many are a clock that stands still.
    static let standingLimit: UInt8 = 64
    /// An hour: longer than any pause of a session.
    static let sessionGap: Int64 = 3_600_000_000
    /// Ten minutes: deliveries were seen to lag by up to seven.
    static let deliveryLagMax: Int64 = 600_000_000

    /// The newest stamps so far; late points do not move them.
    private var car: Int64?
    private var wall: Int64?
    private var wallIsMeta = false
    private var standing: UInt8 = 0

    init() {}

    mutating func advance(to point: borrowing Point) -> ClockStep {
        let isMeta = point.metaTime != nil
        let wallNow = (point.metaTime ?? point.time).microseconds
        // Stamps of two different clocks have no difference.
        let wallStep = wallIsMeta == isMeta ? wall.map { wallNow &- $0 } : nil
        wallIsMeta = isMeta
        wall = CarClock.newest(wall, wallNow, step: wallStep)
        let isNewSession = wallStep.map { $0.magnitude > UInt64(CarClock.sessionGap) } ?? false

        guard let carNow = point.carTime?.microseconds else {
            return ClockStep(
                stamp: Stamp(car: nil, wall: wallNow), seconds: CarClock.bounded(wallStep), isNewSession: isNewSession,
                carJumped: false)
        }
        let carStep = car.map { carNow &- $0 }
        standing = carStep == 0 ? min(standing + 1, CarClock.standingLimit) : 0
        car = CarClock.newest(car, carNow, step: carStep)
        let stands = standing == CarClock.standingLimit
        let leaps = carStep.map { $0.magnitude > UInt64(CarClock.longestStep) } ?? true
        return ClockStep(
            stamp: Stamp(car: stands ? nil : carNow, wall: wallNow),
            seconds: CarClock.bounded(stands || leaps ? wallStep : carStep),
            isNewSession: isNewSession, carJumped: CarClock.disagree(carStep, isMeta ? wallStep : nil))
    }

    private static func newest(_ before: Int64?, _ now: Int64, step: Int64?) -> Int64 {
        guard let before, let step, step < 0, step >= -longestStep else { return now }
        return before
    }

    private static func bounded(_ step: Int64?) -> Double {
        guard let step, step > 0, step <= longestStep else { return 0 }
        return Double(step) / 1_000_000
    }

    private static func disagree(_ car: Int64?, _ wall: Int64?) -> Bool {
        guard let car, let wall else { return false }
        return (car &- wall).magnitude > UInt64(deliveryLagMax)
    }
}

// MARK: Snapshot format

extension CarClock {
    func encode(into writer: inout BinaryWriter) {
        writer.write(car)
        writer.write(wall)
        writer.write(wallIsMeta)
        writer.write(standing)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        car = try reader.readOptional(BinaryReader.integer)
        wall = try reader.readOptional(BinaryReader.integer)
        wallIsMeta = try reader.readBool()
        standing = try reader.read()
    }
}

extension Stamp {
    func encode(into writer: inout BinaryWriter) {
        writer.write(car)
        writer.write(wall)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        car = try reader.readOptional(BinaryReader.integer)
        wall = try reader.read()
    }
}
