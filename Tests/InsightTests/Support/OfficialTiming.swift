import Foundation
import Telemetry

/// What the series measured: lap and sector times by car and telemetry lap.
struct OfficialTiming {
    struct LapTime {
        let seconds: Double
        let sectors: [Double]
    }
    struct Key: Hashable {
        let chassis: String
        let lap: Lap
    }

    private(set) var laps: [Key: LapTime] = [:]

    init(race: String) throws {
        var byNumber: [String: [(lap: Lap, time: LapTime)]] = [:]
        for row in try RealData.table("gr86/timing/\(race)_analysis_sections.csv", separator: ";") {
            guard let number = row["NUMBER"], let lap = row["LAP_NUMBER"].flatMap(Lap.init),
                let seconds = row["LAP_TIME"].flatMap(OfficialTiming.seconds)
            else { continue }
            let sectors = (1...3).compactMap { row["S\($0)_SECONDS"].flatMap(Double.init) }
            byNumber[number, default: []].append((lap, LapTime(seconds: seconds, sectors: sectors)))
        }
        for row in try RealData.table("gr86/timing/\(race)_car_map.csv") where row["confident"] == "1" {
            guard let chassis = row["vehicle_id"], let number = row["official_number"],
                let offset = row["lap_offset"].flatMap(Lap.init)
            else { continue }
            for (lap, time) in byNumber[number] ?? [] { laps[Key(chassis: chassis, lap: lap + offset)] = time }
        }
    }

    /// `1:38.326` and `59.1`.
    private static func seconds(_ text: String) -> Double? {
        var sum = 0.0
        for part in text.split(separator: ":") {
            guard let value = Double(part) else { return nil }
            sum = sum * 60 + value
        }
        return sum
    }
}

/// How far off times are: |error| in seconds.
struct ErrorDistribution: CustomStringConvertible {
    private var errors: [Double] = []
    private var signed: [Double] = []

    mutating func add(_ error: Double) {
        errors.append(error.magnitude)
        signed.append(error)
    }

    var count: Int { errors.count }
    var median: Double { quantile(0.5) }
    var p90: Double { quantile(0.9) }
    /// Median of the errors with their sign: what a shifted timing line does.
    var bias: Double { signed.isEmpty ? 0 : signed.sorted()[signed.count / 2] }
    var largest: Double { errors.max() ?? 0 }

    private func quantile(_ part: Double) -> Double {
        let sorted = errors.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))]
    }

    var description: String {
        func text(_ value: Double) -> String { String(format: "%.3f", value) }
        return "n \(count), median \(text(median)), p90 \(text(p90)), max \(text(largest)), bias \(text(bias))"
    }
}
