import Insight
import JSON
import Telemetry
import Testing

@Suite struct AlertTests {
    /// Drives a lap of a hundred points, all with the same stress, at `pace` km/h or what `speed` says.
    private func drive(
        _ car: inout Car, lap: Lap, stress: Double = 0, speed: (Int) -> Double = { _ in 132 }
    ) {
        for index in 0..<100 {
            let part = Double(index) / 100
            car.send(
                lap: lap, at: (Double(lap - 1) + part) * 100,
                [
                    .lapDistance: part * 3_674, .speed: speed(index),
                    .accelerationY: (stress / 100).squareRoot(),
                ])
        }
    }

    private func alerts(_ car: Car) throws -> [JSONValue] {
        try car.alerts.flatMap { try JSONText.parse($0).array ?? [] }
    }

    private func story(_ car: Car) throws -> [String] {
        try alerts(car).map {
            "\($0["state"]?.string ?? "") \($0["severity"]?.string ?? "") \($0["id"]?.string ?? "")"
        }
    }

    @Test func `tyre wear is raised once, gets worse as the same alert, and is cleared by a whole lap with less`()
        throws
    {
        var car = Car()
        for (lap, stress) in [
            (1, 900.0), (2, 1_500), (3, 1_500), (4, 2_500), (5, 2_500), (6, 6_000), (7, 900), (8, 900),
        ] {
            drive(&car, lap: Lap(lap), stress: stress)
        }
        #expect(
            try story(car) == [
                "raised medium tyre_wear:GR86-006-7:1", "changed high tyre_wear:GR86-006-7:1",
                "changed critical tyre_wear:GR86-006-7:1", "cleared critical tyre_wear:GR86-006-7:1",
            ])
        let first = try #require(try alerts(car).first)
        #expect(first["type"]?.string == "tire_wear")
        #expect(first["since_seq"]?.int == 168)
        #expect(first["data"]?["lap"]?.int == 2)
        #expect(first["data"]?["laps_until_0_5s_loss"]?.double == 9.8)
        #expect(try JSONText.parse(car.insight)["alerts"]?.array?.isEmpty == true)
    }

    @Test func `tyre wear just below its limit does not flicker`() throws {
        var car = Car()
        for lap in 1...10 { drive(&car, lap: Lap(lap), stress: lap.isMultiple(of: 2) ? 990 : 1_020) }
        #expect(try story(car) == ["raised medium tyre_wear:GR86-006-7:1"])
    }

    @Test func `uneven speed is reported from the twentieth point on, and taken back by a whole even lap`() throws {
        var car = Car()
        let uneven = { (index: Int) in index.isMultiple(of: 2) ? 60.0 : 200 }
        drive(&car, lap: 1, speed: uneven)
        #expect(try story(car) == ["raised low low_consistency:GR86-006-7:1"])
        #expect(try alerts(car).first?["since_seq"]?.int == 20)
        drive(&car, lap: 2, speed: uneven)
        drive(&car, lap: 3)
        #expect(try story(car).count == 1)
        drive(&car, lap: 4)
        #expect(
            try story(car) == [
                "raised low low_consistency:GR86-006-7:1", "cleared low low_consistency:GR86-006-7:1",
            ])
        drive(&car, lap: 5, speed: uneven)
        #expect(try story(car).last == "raised low low_consistency:GR86-006-7:2")
    }

    @Test func `a car that gets slower is degrading until a whole lap no longer does`() throws {
        var car = Car()
        drive(&car, lap: 1, speed: { _ in 150 })
        drive(&car, lap: 2, speed: { _ in 140 })
        #expect(try story(car).isEmpty, "lap 2 is not over")
        drive(&car, lap: 3, speed: { _ in 140 })
        #expect(try story(car) == ["raised medium degrading_trend:GR86-006-7:1"])
        #expect(try JSONText.parse(car.insight)["meta"]?["performanceTrend"]?.string == "degrading")
        for lap in 4...20 as ClosedRange<Lap> { drive(&car, lap: lap, speed: { _ in 140 }) }
        #expect(try JSONText.parse(car.insight)["meta"]?["performanceTrend"]?.string == "stable")
        #expect(try story(car).last == "cleared medium degrading_trend:GR86-006-7:1")
        #expect(try story(car).count == 2)
    }

    @Test(arguments: [1, 10, 50])
    func `corners and straights are no trend, however often a car is sampled`(samples: Int) throws {
        var car = Car()
        for index in 0..<100 * samples * 6 {
            let part = Double(index % (100 * samples)) / Double(100 * samples)
            car.send(
                lap: Lap(1 + index / (100 * samples)), at: Double(index) / Double(samples),
                [.lapDistance: part * 3_674, .speed: part < 0.5 ? 100 : 180])
        }
        #expect(try story(car).allSatisfy { !$0.contains("degrading_trend") })
        #expect(try JSONText.parse(car.insight)["meta"]?["performanceTrend"]?.string == "stable")
    }

    @Test func `a lap with a stop says nothing about the trend`() throws {
        var car = Car()
        for lap in 1...6 as ClosedRange<Lap> {
            drive(&car, lap: lap, speed: { lap == 3 && $0 > 50 && $0 < 60 ? 0 : 150 })
        }
        #expect(try story(car).allSatisfy { !$0.contains("degrading_trend") })
        #expect(car.engine.lapsStarted == 6)
    }

    @Test func `alerts come with an insight that lists those that stand`() throws {
        var car = Car()
        drive(&car, lap: 1, stress: 3_000)
        let standing = try #require(try JSONText.parse(car.insight)["alerts"]?.array)
        #expect(standing.map { $0["severity"]?.string } == ["high"])
        let said = try car.insights.map { try JSONText.parse($0) }
        #expect(said.contains { $0["alerts"]?.array?.first?["severity"]?.string == "medium" })
    }
}
