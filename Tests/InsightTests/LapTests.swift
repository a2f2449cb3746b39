import Insight
import JSON
import Telemetry
import Testing

@Suite struct LapTests {
    private func laps(_ seconds: [Double]) -> [(number: Lap, seconds: Double)] {
        seconds.enumerated().map { (number: Lap($0.offset + 1), seconds: $0.element) }
    }

    @Test func `a lap's time is what passed between two crossings of the line`() throws {
        var car = Car()
        car.drive(laps: laps([100, 99.2, 101.4]))
        car.send(lap: 4, at: 300.6, [.lapDistance: 0])
        let last = try #require(car.engine.lastLap)
        #expect(last.number == 3)
        #expect(abs((last.seconds ?? 0) - 101.4) < 0.11)
        #expect(car.engine.bestLap?.number == 2)
        #expect(car.engine.lapsCompleted == 3)
    }

    @Test func `sector times add up to the lap time`() throws {
        var car = Car()
        car.drive(laps: laps([100, 100, 100]))
        let last = try #require(car.engine.lastLap)
        #expect(last.sectors.count == 3)
        let expected = [1_029.0, 1_580.4, 1_065.3].map { $0 / 36.747 }
        for (sector, time) in zip(last.sectors, expected) { #expect(abs((sector ?? 0) - time) < 0.11) }
        #expect(abs(last.sectors.reduce(0) { $0 + ($1 ?? 0) } - (last.seconds ?? 0)) < 1e-5)
    }

    @Test func `points in the order newest first give the same lap times`() throws {
        var ordered = Car()
        ordered.drive(laps: laps([100, 99, 101, 100]))
        var reversed = Car()
        for lap in 1...4 as ClosedRange<Lap> {
            let begin = [0, 100, 199, 300.0][Int(lap) - 1]
            let seconds = [100, 99, 101, 100.0][Int(lap) - 1]
            for tick in stride(from: Int(seconds * 5) - 1, through: 0, by: -1) {
                let part = Double(tick) / 5 / seconds
                reversed.send(
                    lap: lap, at: begin + Double(tick) / 5, [.lapDistance: part * 3_674.7, .speed: 130],
                    carTime: begin + Double(tick) / 5 - 86_400)
            }
        }
        #expect(reversed.engine.lastLap?.number == 3)
        #expect(abs((reversed.engine.lastLap?.seconds ?? 0) - 101) < 0.11)
        #expect(reversed.engine.bestLap?.number == ordered.engine.bestLap?.number)
        #expect(reversed.engine.bestLap?.sectors.compactMap { $0 }.count == 3)
    }

    @Test func `a time is provisional until 64 points have not moved the line`() throws {
        var car = Car()
        let end = car.drive(laps: laps([100]))
        car.send(lap: 2, at: end + 0.4, [.lapDistance: 15])
        #expect(car.engine.lastLap?.isSettled == false)
        #expect(car.engine.bestLap == nil)
        car.send(lap: 2, at: end, [.lapDistance: 0])
        #expect(abs((car.engine.lastLap?.seconds ?? 0) - 100) < 0.11)
        for index in 1...64 { car.send(lap: 2, at: end + 0.4 + Double(index) / 5, [.speed: 130]) }
        #expect(car.engine.lastLap?.isSettled == true)
        #expect(car.engine.bestLap?.number == 1)
    }

    @Test func `a car's clock that stands still is replaced by the receiver's`() throws {
        var car = Car()
        for tick in 0..<1_600 {
            let at = Double(tick) / 5
            let lap = Lap(at / 100) + 1
            car.send(
                lap: lap, at: at, [.lapDistance: at.truncatingRemainder(dividingBy: 100) * 36.7, .speed: 132],
                carTime: 5)
        }
        #expect(abs((car.engine.lastLap?.seconds ?? 0) - 100) < 0.01)
        #expect(car.engine.bestLap != nil)
    }

    @Test func `a car's clock counts though deliveries are late by minutes`() throws {
        var car = Car()
        for tick in 0..<1_600 {
            let at = Double(tick) / 5
            let burst = (at / 250).rounded(.down) * 250 + 240
            car.send(
                lap: Lap(at / 100) + 1, at: max(at, burst),
                [.lapDistance: at.truncatingRemainder(dividingBy: 100) * 36.7],
                carTime: at - 86_400)
        }
        #expect(abs((car.engine.lastLap?.seconds ?? 0) - 100) < 0.01)
    }

    @Test func `a lap that the counter loses or skips has no time`() throws {
        var car = Car()
        var end = car.drive(laps: laps([100]))
        for index in 0..<20 { car.send(lap: nil, at: end + Double(index), [.speed: 100]) }
        #expect(car.insight.contains("\"lap\":null"))
        end = car.drive(
            laps: [(number: 2, seconds: 100), (number: 4, seconds: 100), (number: 5, seconds: 50)], from: 120)
        #expect(car.engine.lastLap?.number == 4)
        #expect(abs((car.engine.bestLap?.seconds ?? 0) - 100) < 0.11)
        #expect(car.engine.bestLap?.number == 4)
    }

    @Test func `a counter that blinks for a few points loses nothing`() throws {
        var car = Car()
        for tick in 0..<1_100 {
            let at = Double(tick) / 5
            let isKnown = !(240...245).contains(tick)
            car.send(
                lap: isKnown ? Lap(at / 100) + 1 : nil, at: at,
                [.lapDistance: at.truncatingRemainder(dividingBy: 100) * 36.7, .speed: 132])
        }
        #expect(car.engine.bestLap != nil)
        #expect(abs((car.engine.lastLap?.seconds ?? 0) - 100) < 0.01)
    }

    @Test func `a lap seen only from its middle has no time`() throws {
        var car = Car()
        for tick in 250..<1_100 {
            let at = Double(tick) / 5
            car.send(
                lap: Lap(at / 100) + 1, at: at,
                [.lapDistance: at.truncatingRemainder(dividingBy: 100) * 36.7, .speed: 132])
            if tick == 600 { #expect(car.engine.lastLap?.seconds == nil) }
        }
        #expect(car.engine.bestLap?.number == 2)
    }

    @Test func `a counter that steps in the middle of the track gives no lap time`() throws {
        var car = Car()
        for tick in 0..<1_600 {
            let at = Double(tick) / 5
            let lap: Lap = at < 100 ? 1 : at < 125 ? 2 : 3 + Lap((at - 125) / 175)
            car.send(
                lap: lap, at: at, [.lapDistance: at.truncatingRemainder(dividingBy: 100) * 36.7, .speed: 132])
        }
        #expect(car.engine.bestLap?.number == 1)
    }

    @Test func `a stray point of the lap before does not disturb the lap times`() throws {
        var car = Car()
        for tick in 0..<1_100 {
            let at = Double(tick) / 5
            let channels: [Channel: Double] = [
                .lapDistance: at.truncatingRemainder(dividingBy: 100) * 36.7, .speed: 132,
            ]
            car.send(lap: Lap(at / 100) + 1, at: at, channels)
            // Once just before the line, and once with a stamp just after it, as receivers' clocks have it.
            if tick == 502 { car.send(lap: 1, at: 99.95, [.accelerationX: 0.1]) }
            if tick == 503 { car.send(lap: 1, at: 100.4, [.accelerationX: 0.1]) }
        }
        #expect(car.engine.lastLap?.number == 2)
        #expect(abs((car.engine.lastLap?.seconds ?? 0) - 100) < 0.11)
        #expect(car.engine.lapsCompleted == 2)
    }

    @Test func `another run of the car begins with empty hands`() throws {
        var car = Car()
        car.drive(laps: laps([100, 99, 98, 97, 96]))
        #expect(car.engine.bestLap?.number == 4)
        car.drive(laps: laps([103, 103, 103]), from: 900)
        #expect(car.engine.lapsCompleted == 2)
        #expect(abs((car.engine.bestLap?.seconds ?? 0) - 103) < 0.11)
    }

    @Test func `another day begins with empty hands whatever the lap`() throws {
        var car = Car()
        car.drive(laps: laps([100, 99, 98]))
        car.drive(laps: [(number: 3, seconds: 103), (number: 4, seconds: 103)], from: 86_400)
        #expect(car.engine.lapsCompleted == 1)
        #expect(car.engine.bestLap == nil || abs((car.engine.bestLap?.seconds ?? 0) - 103) < 0.11)
    }

    @Test func `a counter that jumps back goes on from there`() throws {
        var car = Car()
        car.drive(laps: laps([100, 100, 100, 100, 100, 100]))
        car.drive(laps: [(number: 4, seconds: 98), (number: 5, seconds: 99), (number: 6, seconds: 50)], from: 600)
        #expect(car.engine.lapNumber == 6)
        #expect(abs((car.engine.bestLap?.seconds ?? 0) - 98) < 0.11)
    }

    @Test func `where no lap distance is sent it is integrated from speed and says so`() throws {
        var car = Car(track: "cota")
        for tick in 0...500 { car.send(lap: 1, at: Double(tick) / 10, [.speed: 180]) }
        let insight = try JSONText.parse(car.insight)
        #expect(insight["distance_estimated"]?.bool == true)
        #expect(abs((insight["lap_distance_m"]?.double ?? 0) - 2_500) < 1)
        car.send(lap: 2, at: 50.1, [.speed: 180])
        #expect(try JSONText.parse(car.insight)["lap_distance_m"]?.double ?? 99 < 6)
        car.send(lap: 2, at: 50.2, [.speed: 180, .lapDistance: 7])
        #expect(try JSONText.parse(car.insight)["distance_estimated"]?.bool == false)
    }

    @Test func `an insight is said when something happens, and else every 600 ms of the car's time`() throws {
        var car = Car()
        for tick in 0..<100 { car.send(lap: 1, at: Double(tick) / 20, [.speed: 150, .lapDistance: Double(tick)]) }
        // The first point, then every twelfth.
        #expect(car.insights.count == 9)
        car.send(lap: 1, at: 5, [.lapDistance: 1_100])
        car.send(lap: 1, at: 5.01, [.lapDistance: 2_700])
        car.send(lap: 2, at: 5.02, [.lapDistance: 0])
        #expect(car.insights.count == 12)
    }
}
