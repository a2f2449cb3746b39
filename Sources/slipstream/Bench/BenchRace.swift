import Replication
import Simulation
import Telemetry

/// Simulated race telemetry, ready to be sent: 10 Hz per car, about 230 bytes a record.
struct BenchRace {
    private var race: RaceSimulation
    let cars: Int

    init(cars: Int = 20, seed: UInt64 = 1) {
        race = RaceSimulation(seed: seed, cars: cars)
        self.cars = cars
    }

    /// The next records of every car as JSON arrays, one per car.
    mutating func arrays(of count: Int) -> [(chassis: [UInt8], json: [UInt8])] {
        var arrays: [(chassis: [UInt8], json: [UInt8])] = race.cars.map { (Array($0.chassis.utf8), []) }
        for step in 0..<count {
            var car = 0
            race.step { _, record in
                arrays[car].json.append(step == 0 ? UInt8(ascii: "[") : UInt8(ascii: ","))
                arrays[car].json.append(contentsOf: record)
                car += 1
            }
        }
        for car in arrays.indices { arrays[car].json.append(UInt8(ascii: "]")) }
        return arrays
    }

    /// The next records of all cars in one JSON array, in the order of time: what a pit wall sends.
    mutating func mixed(steps: Int) -> [UInt8] {
        var json: [UInt8] = []
        for _ in 0..<steps {
            race.step { _, record in
                json.append(json.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
                json.append(contentsOf: record)
            }
        }
        json.append(UInt8(ascii: "]"))
        return json
    }

    /// Of every car, in the order of `records`.
    var chassis: [String] { race.cars.map(\.chassis) }

    /// One record of every car.
    mutating func records() -> [[UInt8]] {
        var records: [[UInt8]] = []
        race.step { _, record in records.append(Array(record)) }
        return records
    }
}
