import Insight
import Telemetry
import Testing

/// Stress per lap of real files against a sum taken straight from the rows, without decoder, assembler or engine.
@Suite(.enabled(if: RealData.isThere, "needs the races in shared/data (SLIPSTREAM_DATA)"), .serialized)
struct RawStressTests {
    struct CarLap: Hashable {
        let chassis: String
        let lap: Lap
    }

    /// Σ over rows of value², steering in turns; rows of lap 32768 belong nowhere.
    private func sums(of file: String) throws -> [CarLap: Double] {
        let bytes = try RealData.read("gr86/telemetry/\(file)")
        var sums: [CarLap: Double] = [:]
        var columns: [String: Int] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            func text(_ index: Int) -> String {
                String(decoding: fields[index].filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
            }
            if columns.isEmpty {
                for index in fields.indices { columns[text(index)] = index }
                continue
            }
            let name = columns["telemetry_name"].map(text)
            guard let name, name == "accx_can" || name == "accy_can" || name == "Steering_Angle",
                let value = columns["telemetry_value"].flatMap({ Double(text($0)) }),
                let lap = columns["lap"].flatMap({ Lap(text($0)) }), lap != 32_768,
                let chassis = columns["vehicle_id"].map(text)
            else { continue }
            let part = name == "Steering_Angle" ? value / 360 : value
            sums[CarLap(chassis: chassis, lap: lap), default: 0] += part * part
        }
        return sums
    }

    @Test(arguments: [
        "barber_r1_car000_raw_sample.csv", "barber_r1_car000_race_5hz.csv.gz", "cota_r1_one_lap_per_car.csv.gz",
        "road_america_r1_car2_laps1-8.csv.gz",
    ])
    func `the stress of every lap is the sum over its rows`(file: String) throws {
        var compared = 0
        let cars = try RealData.fold(file)
        for (carLap, expected) in try sums(of: file) {
            let car = try #require(cars[carLap.chassis])
            let stress = try #require(car.stress[carLap.lap])
            // A repeated sample is dropped by the assembler, on purpose.
            if car.assembler.counters.duplicates == 0 {
                #expect(abs(stress - expected) <= 1e-9 * expected, "\(carLap)")
            } else {
                #expect(abs(stress - expected) <= 1e-3 * expected, "\(carLap)")
            }
            compared += 1
        }
        #expect(compared > 0)
        #expect(cars.values.allSatisfy { $0.engine.latePoints == 0 })
    }
}
