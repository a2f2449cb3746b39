import Telemetry
import Testing

@testable import Simulation

@Suite struct LapTimeTests {
    @Test func `a lap seen in the records takes base plus wear plus noise`() {
        let hertz = 20.0
        var race = RaceSimulation(seed: 5, cars: 3, hertz: hertz)
        var firstStep: [String: [Lap: Int]] = [:]
        for step in 0..<12_000 {
            race.step { car, _ in
                if firstStep[car.chassis]?[car.lap] == nil { firstStep[car.chassis, default: [:]][car.lap] = step }
            }
        }
        for car in race.cars {
            #expect(car.completedLaps.count >= 5)
            for lap in car.completedLaps {
                guard let begin = firstStep[car.chassis]?[lap.lap], let end = firstStep[car.chassis]?[lap.lap + 1]
                else {
                    Issue.record("\(car.chassis) has no records of lap \(lap.lap)")
                    continue
                }
                let seen = Double(end - begin) / hertz
                #expect(abs(seen - (lap.base + lap.wear + lap.noise)) <= 1 / hertz, "\(car.chassis) lap \(lap.lap)")
                #expect(lap.wear == car.profile.lossPerLap * Double(lap.lap - 1))
            }
        }
    }

    @Test func `a straight line through many lap times has the slope of the tyre wear`() {
        var race = RaceSimulation(seed: 11, cars: 20, hertz: 0.1)
        while race.cars.contains(where: { $0.completedLaps.count < 60 }) { race.step { _, _ in } }
        for car in race.cars {
            let laps = Array(car.completedLaps.prefix(60))
            #expect(laps.map(\.lap) == Array(1...60))
            // Three standard errors: 0.15 s over the root of Σ(lap − mean)² for 60 laps.
            #expect(abs(slope(laps) - car.profile.lossPerLap) < 0.008, "\(car.chassis) \(car.profile)")
        }
    }

    @Test func `the noise of a lap has mean 0 and the standard deviation of 0.15 s`() {
        var race = RaceSimulation(seed: 2, cars: 50, hertz: 0.1)
        while race.cars.contains(where: { $0.completedLaps.count < 40 }) { race.step { _, _ in } }
        let noise = race.cars.flatMap(\.completedLaps).map(\.noise)
        let mean = noise.reduce(0, +) / Double(noise.count)
        let variance = noise.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(noise.count)
        #expect(abs(mean) < 0.015)
        #expect(abs(variance.squareRoot() - 0.15) < 0.01)
    }

    private func slope(_ laps: [CompletedLap]) -> Double {
        let count = Double(laps.count)
        let meanLap = laps.reduce(0) { $0 + Double($1.lap) } / count
        let meanSeconds = laps.reduce(0) { $0 + $1.seconds } / count
        let product = laps.reduce(0) { $0 + (Double($1.lap) - meanLap) * ($1.seconds - meanSeconds) }
        return product / laps.reduce(0) { $0 + (Double($1.lap) - meanLap) * (Double($1.lap) - meanLap) }
    }
}
