import Insight
import Telemetry
import Testing

@Suite struct LapTests {
    @Test func `a lap's time is what passed between two crossings of the line`() throws {
        var car = Car()
        car.drive(laps: [(1, 100.0), (2, 99.2), (3, 101.4)].map { (number: $0.0, seconds: $0.1) })
        car.send(lap: 4, at: 300.6)
        let last = try #require(car.engine.lastLap)
        #expect(last.number == 3)
        #expect(abs((last.seconds ?? 0) - 101.4) < 0.11)
        #expect(car.engine.bestLap?.number == 2)
        #expect(car.engine.lapsCompleted == 3)
    }
}
