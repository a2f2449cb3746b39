import Telemetry

/// What is known of one lap while its points come in, in whatever order. Kept for the current lap and the one before.
struct LapTally: Sendable {
    /// How sure it is that the earliest point of a lap is where the lap began.
    enum Opening: UInt8, Sendable {
        /// Seen: a point of the lap before is near in time, or the car was close to the line.
        case exact
        /// Not seen, and no lap distance to say otherwise: the earliest point has to do.
        case approximate
        /// Not seen, and the car was on its way already.
        case partial
    }

    /// A crossing lies between the points on both sides when they are this near, µs. A longer silence hides it.
    static let bracketMax: Int64 = 3_000_000
    /// A lap that began less than this, m, from start/finish was seen from the line.
    static let originMax = 200.0
    /// Slower than this, km/h, for `standstillMin` seconds is a stop.
    static let standstillSpeed = 3.0
    static let standstillMin = 2.0

    private(set) var number: Lap
    /// The lap before it was the one before it in number, and was not interrupted.
    let follows: Bool
    /// The lap counter did not know in between.
    var isInterrupted = false
    /// All points had a car's clock that ran. If not, times of this lap are the receiver's.
    private(set) var trustsCar = true
    /// The earliest and the latest stamp of either clock.
    private(set) var start: Stamp
    private(set) var end: Stamp
    /// Where the lap began: `start`, moved to between the points on both sides of the line.
    private(set) var opened: Stamp
    private(set) var opening = Opening.approximate
    /// Where the lap began, m from start/finish: lap distance less the way since, smallest of all samples. Infinite
    /// without samples.
    private(set) var origin = Double.infinity
    private(set) var standstill = 0.0

    private(set) var stress = 0.0
    private(set) var sectorStress: [Double]
    private(set) var crossings: [SectorCrossing]

    private(set) var pointCount: UInt32 = 0
    private(set) var speed = Summary()
    private(set) var acceleration = Summary()
    private(set) var braking = Summary()
    private(set) var cornering = Summary()
    private(set) var pace = Spread()

    init(_ number: Lap, follows: Bool, at stamp: Stamp, on track: Track) {
        self.number = number
        self.follows = follows
        start = stamp
        end = stamp
        opened = stamp
        sectorStress = Array(repeating: 0, count: track.sectors.count)
        crossings = track.sectors.dropFirst().map { SectorCrossing(at: $0.start) }
        trustsCar = stamp.car != nil
    }

    /// Takes the place of a lap where there is none.
    static let none = LapTally(
        0, follows: false, at: Stamp(car: nil, wall: 0), on: Track(name: "", length: 0, sectors: []))

    var hasDistance: Bool { origin.isFinite }
    var hasStopped: Bool { standstill >= LapTally.standstillMin }

    /// - Returns: whether the lap now begins earlier.
    mutating func extend(to stamp: Stamp) -> Bool {
        var moved = false
        if let car = stamp.car {
            if let first = start.car, car < first {
                start.car = car
                moved = trustsCar
            }
            if let last = end.car, car > last { end.car = car }
        } else {
            trustsCar = false
        }
        if stamp.wall < start.wall {
            start.wall = stamp.wall
            moved = moved || !trustsCar
        }
        if stamp.wall > end.wall { end.wall = stamp.wall }
        return moved
    }

    mutating func distrustCar() { trustsCar = false }

    mutating func add(_ sampled: borrowing ChannelValues, heldSpeed: Double?, seconds: Double, sector: Int) {
        pointCount &+= 1
        addStress(of: sampled, sector: sector)
        if let value = sampled[.speed] {
            speed.add(value)
            if value > 0 { pace.add(value) }
        }
        if let value = sampled[.accelerationX] { acceleration.add(value) }
        if let value = sampled[.brakeFront] { braking.add(value) }
        if let value = sampled[.steering] { cornering.add(value.magnitude) }
        if let heldSpeed, heldSpeed < LapTally.standstillSpeed { standstill += seconds }
    }

    /// A point that belongs here but came after the next lap had begun.
    mutating func addLate(_ sampled: borrowing ChannelValues, sector: Int) {
        pointCount &+= 1
        addStress(of: sampled, sector: sector)
    }

    /// accx² + accy² + (|steering|/360)², g² where the steering counts turns; what was not sampled counts 0.
    private mutating func addStress(of sampled: borrowing ChannelValues, sector: Int) {
        let along = sampled[.accelerationX] ?? 0
        let across = sampled[.accelerationY] ?? 0
        let turns = (sampled[.steering] ?? 0).magnitude / 360
        let value = along * along + across * across + turns * turns
        stress += value
        sectorStress[sector] += value
    }

    mutating func note(distance: Double, travelled: Double, at stamp: Stamp, on track: Track, sector: Int) {
        let begin = distance - travelled
        // Far below zero: the distance began anew within the lap, which says nothing about where the lap began.
        if begin >= -LapTally.originMax { origin = min(origin, begin) }
        // Only the sector's own two ends can gain a nearer sample.
        guard distance >= track.sectors[sector].start else { return }
        if sector > 0 { crossings[sector - 1].note(beyond: distance, stamp) }
        if sector < crossings.count { crossings[sector].note(before: distance, stamp) }
    }
}

// MARK: Times

extension LapTally {
    /// Decides where this lap began, as far as the points so far tell.
    mutating func open(after previous: LapTally?) {
        opened = start
        opening = .approximate
        var silence = Int64.max
        if follows, let previous {
            let bothCar = trustsCar && previous.trustsCar
            let car = LapTally.crossing(bothCar ? previous.end.car : nil, start.car)
            let wall = LapTally.crossing(previous.end.wall, start.wall)
            opened = Stamp(car: car.at, wall: wall.at ?? start.wall)
            silence = bothCar ? car.silence : wall.silence
        }
        if hasDistance {
            // The counter may also step half-way round the track: a false trigger.
            opening = origin <= LapTally.originMax ? .exact : .partial
        } else if silence <= LapTally.bracketMax {
            opening = .exact
        }
    }

    /// The line was crossed half-way between the last point before it and the first after it, if both are near:
    /// against the official times that is never worse than the first point, and better where points are thin
    /// (docs/insights.md). Interpolating with lap distance and speed was no better; its samples come late.
    private static func crossing(_ before: Int64?, _ after: Int64?) -> (at: Int64?, silence: Int64) {
        guard let before, let after else { return (after, Int64.max) }
        let gap = max(0, after &- before)
        return (gap <= bracketMax ? after &- gap / 2 : after, gap)
    }

    /// Seconds from here to where `next` began; `nil` when either was not seen.
    func seconds(until next: LapTally) -> Double? {
        guard next.follows, !isInterrupted, opening != .partial, next.opening != .partial else { return nil }
        return seconds(from: opened, to: next.opened, trustsCar: trustsCar && next.trustsCar)
    }

    /// Both ends were seen.
    func isExact(until next: LapTally) -> Bool { opening == .exact && next.opening == .exact }

    /// Of one sector, when both its ends were seen. `next` is `nil` while the lap is going on.
    func seconds(ofSector sector: Int, until next: LapTally?) -> Double? {
        let begin = sector == 0 ? line : crossings[sector - 1].stamp
        let end = sector < crossings.count ? crossings[sector].stamp : next.flatMap { $0.follows ? $0.line : nil }
        guard !isInterrupted, let begin, let end else { return nil }
        return seconds(from: begin, to: end, trustsCar: trustsCar && next?.trustsCar != false)
    }

    private var line: Stamp? { opening == .exact ? opened : nil }

    private func seconds(from: Stamp, to: Stamp, trustsCar: Bool) -> Double? {
        let microseconds: Int64
        if trustsCar, let first = from.car, let last = to.car {
            microseconds = last &- first
        } else {
            microseconds = to.wall &- from.wall
        }
        // An hour is no lap, and a clock that went back gives none.
        return microseconds > 0 && microseconds < CarClock.sessionGap ? Double(microseconds) / 1_000_000 : nil
    }

    /// Whether a point stamped so came before this lap began, by less than a minute: a latecomer, not a jump.
    func isLate(_ stamp: Stamp, grace: Int64) -> Bool {
        let after: Int64
        if trustsCar, let car = stamp.car, let first = start.car {
            after = car &- first
        } else {
            after = stamp.wall &- start.wall
        }
        return after < grace && after > -LapTally.latenessMax
    }

    /// µs. Late points were seen to come up to one second after newer ones.
    static let latenessMax: Int64 = 60_000_000
}

// MARK: Snapshot format

extension LapTally {
    func encode(into writer: inout BinaryWriter) {
        writer.write(number)
        writer.write(follows)
        writer.write(isInterrupted)
        writer.write(trustsCar)
        for stamp in [start, end, opened] { stamp.encode(into: &writer) }
        writer.write(opening.rawValue)
        writer.write(origin)
        writer.write(standstill)
        writer.write(stress)
        writer.write(UInt8(sectorStress.count))
        for value in sectorStress { writer.write(value) }
        for crossing in crossings { crossing.encode(into: &writer) }
        writer.write(pointCount)
        for summary in [speed, acceleration, braking, cornering] { summary.encode(into: &writer) }
        pace.encode(into: &writer)
    }

    init(on track: Track, from reader: inout BinaryReader) throws(BinaryError) {
        number = try reader.read()
        follows = try reader.readBool()
        isInterrupted = try reader.readBool()
        trustsCar = try reader.readBool()
        start = try Stamp(from: &reader)
        end = try Stamp(from: &reader)
        opened = try Stamp(from: &reader)
        let raw: UInt8 = try reader.read()
        guard let opening = Opening(rawValue: raw) else { throw .invalid(what: "lap opening", value: "\(raw)") }
        self.opening = opening
        origin = try reader.readDouble()
        standstill = try reader.readDouble()
        stress = try reader.readDouble()
        let count: UInt8 = try reader.read()
        guard Int(count) == track.sectors.count else {
            throw .invalid(what: "sectors of \(track.name)", value: "\(count)")
        }
        sectorStress = []
        for _ in 0..<count { sectorStress.append(try reader.readDouble()) }
        crossings = []
        for sector in track.sectors.dropFirst() {
            crossings.append(try SectorCrossing(at: sector.start, from: &reader))
        }
        pointCount = try reader.read()
        speed = try Summary(from: &reader)
        acceleration = try Summary(from: &reader)
        braking = try Summary(from: &reader)
        cornering = try Summary(from: &reader)
        pace = try Spread(from: &reader)
    }
}
