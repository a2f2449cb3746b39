import Insight
import Telemetry
import Testing

@Suite struct StressTests {
    @Test func `a point's stress is the sum of squares of both accelerations and of the turns of the wheel`() {
        var car = Car()
        car.send(
            lap: 1, at: 0, [.accelerationX: -0.5, .accelerationY: 1.5, .steering: -180, .lapDistance: 10, .speed: 90])
        #expect(car.engine.lapTireStress == 0.25 + 2.25 + 0.25)
    }

    @Test func `a channel that was not sampled counts nothing, though it is held`() {
        var car = Car()
        car.send(lap: 1, at: 0, [.accelerationX: 1, .lapDistance: 10])
        car.send(lap: 1, at: 0.1, [.speed: 100])
        #expect(car.engine.lapTireStress == 1)
    }

    @Test func `stress is summed by sector and starts anew with each lap`() {
        var car = Car(track: nil)
        for (distance, value) in [(0.0, 1.0), (1_700, 2), (3_400, 3), (9_000, 4)] {
            car.send(lap: 1, at: distance / 50, [.lapDistance: distance, .accelerationY: value])
        }
        #expect(car.engine.perSectorStress == [1, 4, 25])
        car.send(lap: 2, at: 181, [.lapDistance: 5, .accelerationY: 3])
        #expect(car.engine.perSectorStress == [9, 0, 0])
        #expect(car.engine.lapTireStress == 9)
        #expect(car.engine.lastLap?.stress == 30)
    }

    @Test(arguments: [
        (0.0, "0", "50"), (9.9, "0", "50"), (10.0, "0.001", "500"), (1_000, "0.05", "10"), (1_010, "0.051", "9.8"),
        (12_000, "0.6", "1"),
    ])
    func `the estimates from stress are Pitwall's`(stress: Double, loss: String, laps: String) {
        var car = Car()
        car.send(lap: 1, at: 0, [.accelerationX: stress.squareRoot()])
        #expect(car.insight.contains("\"predicted_loss_per_lap_seconds\":\(loss),\"laps_until_0_5s_loss\":\(laps),"))
    }

    @Test func `points without a known lap belong to no lap`() {
        var car = Car()
        car.send(lap: nil, at: 0, [.accelerationX: 1])
        #expect(car.engine.lapNumber == nil)
        car.send(lap: 1, at: 1, [.accelerationX: 2])
        car.send(lap: nil, at: 2, [.accelerationX: 3])
        #expect(car.engine.lapTireStress == 4)
    }

    @Test func `a latecomer of the lap before is added there while that lap is not settled, later it is counted`() {
        var car = Car()
        for index in 0..<20 { car.send(lap: 4, at: Double(index) / 10, [.accelerationX: 1, .speed: 100]) }
        car.send(lap: 5, at: 2, [.accelerationX: 1])
        car.send(lap: 4, at: 1.95, [.accelerationX: 2])
        #expect(car.engine.lastLap?.stress == 24)
        #expect(car.engine.lapTireStress == 1)
        for index in 21..<100 { car.send(lap: 5, at: Double(index) / 10, [.speed: 100]) }
        car.send(lap: 4, at: 1.96, [.accelerationX: 3])
        #expect(car.engine.lastLap?.stress == 24)
        #expect(car.engine.lapTireStress == 1)
        #expect(car.engine.latePoints == 1)
    }
}
