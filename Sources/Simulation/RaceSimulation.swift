import Telemetry

/// A race that never was: telemetry in Pitwall's wide shape whose truth is known.
///
/// Each lap of a car takes its base time, plus what its tyres have lost, plus noise; within the lap it follows the
/// track's lap profile. Cars do not meet: nobody is held up, nobody crashes. The same arguments give the same bytes.
package struct RaceSimulation: Sendable {
    package let track: Track
    /// Records per car and second.
    package let hertz: Double
    /// Of the first record.
    package let start: Timestamp
    package private(set) var cars: [RaceCar]
    /// How often `step` was called.
    package private(set) var steps = 0

    private let profile: LapProfile
    private var random: SeededRandom
    private var json = JSONWriter(reserving: 512)

    /// 2026-01-01T12:00:00Z
    package static let defaultStart = Timestamp(milliseconds: 1_767_268_800_000)

    /// - Parameter cars: how many, 1...999.
    /// - Parameter track: any; its length counts, and its name decides where the bends are.
    /// - Parameter hertz: records per car and second, more than 0.
    package init(
        seed: UInt64, cars: Int = 20, track: Track = TrackTable.builtIn["barber"] ?? TrackTable.fallback,
        hertz: Double = 10, start: Timestamp = defaultStart
    ) {
        precondition((1...999).contains(cars), "a race has 1 to 999 cars, not \(cars)")
        precondition(hertz > 0, "hertz must be more than 0, not \(hertz)")
        self.track = track
        self.hertz = hertz
        self.start = start
        profile = LapProfile(track)
        random = SeededRandom(seed: seed)
        self.cars = RaceSimulation.grid(of: cars, lapSeconds: profile.lapSeconds, using: &random)
    }

    /// When the next step's records are stamped.
    package var time: Timestamp {
        Timestamp(microseconds: start.microseconds + Int64((Double(steps) / hertz * 1_000_000).rounded()))
    }

    /// Gives one record of every car, one JSON object each, and moves time on by 1/`hertz` s.
    ///
    /// - Parameter body: called once per car, always in the same order. The bytes are valid only inside it. It must not
    ///   look at the simulation itself, which is being changed; take `time` before.
    package mutating func step<Failure: Error>(
        _ body: (borrowing RaceCar, UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        let (elapsed, now) = (Double(steps) / hertz, time)
        steps += 1
        for index in cars.indices {
            let share = cars[index].lapShare(at: elapsed, using: &random)
            let reading = Reading(
                profile[share], slowness: cars[index].slowness, trackLength: track.length, using: &random)
            json.removeAll()
            reading.write(into: &json, time: now, track: track.name, chassis: cars[index].chassis, lap: cars[index].lap)
            try give(index, to: body)
        }
    }

    private func give<Failure: Error>(
        _ index: Int, to body: (borrowing RaceCar, UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var outcome: Result<Void, Failure> = .success(())
        json.bytes.withUnsafeBytes { record in
            do throws(Failure) { try body(cars[index], record) } catch { outcome = .failure(error) }
        }
        try outcome.get()
    }

    /// The faster cars tend to stand in front, as after a qualifying. Every third car has the same tyre wear.
    private static func grid(of count: Int, lapSeconds: Double, using random: inout SeededRandom) -> [RaceCar] {
        let numbers = count < 98 ? 2...99 : 1...999
        let chassisNumbers = Array(numbers.shuffled(using: &random).prefix(count))
        let startNumbers = Array(numbers.shuffled(using: &random).prefix(count))
        return (0..<count).map { slot in
            let pace = 1 + 0.015 * Double(slot) / Double(count) + 0.002 * random.normal()
            let number = String(chassisNumbers[slot])
            let padded = String(repeating: "0", count: 3 - number.count) + number
            return RaceCar(
                chassis: "GR86-\(padded)-\(startNumbers[slot])", profile: TyreWear.allCases[slot % 3],
                baseSeconds: lapSeconds * pace, gridGap: 0.35 * Double(slot + 1))
        }
    }
}
