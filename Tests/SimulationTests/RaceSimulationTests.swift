import Foundation
import Telemetry
import Testing

@testable import Simulation

@Suite struct RaceSimulationTests {
    @Test func `the same seed gives the same bytes and another seed gives others`() {
        #expect(bytes(seed: 7, steps: 300) == bytes(seed: 7, steps: 300))
        #expect(bytes(seed: 7, steps: 3) != bytes(seed: 8, steps: 3))
    }

    @Test func `every record has the fields of the wide shape with plausible values`() throws {
        var race = RaceSimulation(seed: 1, cars: 5)
        for _ in 0..<2_000 {
            try race.step { car, bytes in
                let record = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
                #expect(record.keys.sorted() == fields)
                #expect(record["chassis"] as? String == car.chassis)
                #expect(record["lap"] as? Int == Int(car.lap))
                for (field, range) in plausible {
                    let value = try #require(record[field] as? Double)
                    #expect(range.contains(value), "\(field) \(value)")
                }
            }
        }
    }

    @Test func `records are stamped one step apart from the start given`() throws {
        let start = try #require(Timestamp(iso8601: "2026-03-01T09:00:00Z"))
        var race = RaceSimulation(seed: 1, cars: 1, hertz: 25, start: start)
        var stamps: [String] = []
        for _ in 0..<3 { race.step { _, bytes in stamps.append(stamp(of: bytes)) } }
        #expect(stamps == ["2026-03-01T09:00:00.000Z", "2026-03-01T09:00:00.040Z", "2026-03-01T09:00:00.080Z"])
        #expect(RaceSimulation.defaultStart.iso8601 == "2026-01-01T12:00:00.000Z")
    }

    @Test func `cars have different names and a third of them each tyre wear`() {
        let cars = RaceSimulation(seed: 3, cars: 21).cars
        #expect(Set(cars.map(\.chassis)).count == 21)
        #expect(cars.allSatisfy { $0.chassis.wholeMatch(of: /GR86-\d{3}-\d+/) != nil })
        for wear in TyreWear.allCases { #expect(cars.filter { $0.profile == wear }.count == 7) }
    }

    @Test func `what a handler throws ends the step`() {
        struct Full: Error {}
        var race = RaceSimulation(seed: 1, cars: 3)
        var given = 0
        #expect(throws: Full.self) {
            try race.step { _, _ in
                given += 1
                throw Full()
            }
        }
        #expect(given == 1)
    }

    private func bytes(seed: UInt64, steps: Int) -> [UInt8] {
        var race = RaceSimulation(seed: seed, cars: 4)
        var all: [UInt8] = []
        for _ in 0..<steps { race.step { _, bytes in all.append(contentsOf: bytes) } }
        return all
    }

    private func stamp(of record: UnsafeRawBufferPointer) -> String {
        String(decoding: record.dropFirst(14).prefix(24), as: UTF8.self)
    }
}

private let fields = [
    "Steering_Angle", "accx_can", "accy_can", "aps", "chassis", "gear", "lap", "lapdist_m", "meta_time", "pbrake_f",
    "rpm", "speed_kmh", "track",
]

private let plausible: [String: ClosedRange<Double>] = [
    "lapdist_m": 0...3_674.6, "speed_kmh": 30...220, "accx_can": -1.1...0.6, "accy_can": -1.3...1.3,
    "Steering_Angle": -180...180, "pbrake_f": 0...70, "rpm": 900...7_400, "gear": 1...6, "aps": 0...100,
]
