import Insight
import Telemetry
import Testing

/// Lap and sector times against the official ones. The figures are printed; docs/insights.md has them.
@Suite(.enabled(if: RealData.isThere, "needs the races in shared/data (SLIPSTREAM_DATA)"), .serialized)
struct OfficialTimingTests {
    struct File: CustomTestStringConvertible {
        let race: String
        let name: String
        /// Laps with an exact time, and those with a guessed one.
        let exact: Int
        let inexact: Int
        /// What the errors of the exact laps must not exceed, s.
        let median: Double
        let p90: Double
        var testDescription: String { name }
    }

    @Test(arguments: [
        File(
            race: "indianapolis_r1", name: "indianapolis_r1_car47_full_race.csv.gz", exact: 26, inexact: 0,
            median: 0.06, p90: 0.12),
        File(
            race: "barber_r1", name: "barber_r1_car000_race_5hz.csv.gz", exact: 26, inexact: 0, median: 0.12,
            p90: 0.25),
        File(
            race: "barber_r2", name: "barber_r2_thinned_race.csv.gz", exact: 250, inexact: 0, median: 0.13, p90: 0.36),
        File(
            race: "road_america_r1", name: "road_america_r1_car2_laps1-8.csv.gz", exact: 6, inexact: 1, median: 0.12,
            p90: 0.35),
        File(
            race: "indianapolis_r1", name: "indianapolis_r1_field_lap_crossings.csv.gz", exact: 0, inexact: 500,
            median: 0, p90: 0),
    ])
    func `lap times agree with the official ones`(file: File) throws {
        let official = try OfficialTiming(race: file.race)
        var exact = ErrorDistribution()
        var inexact = ErrorDistribution()
        var sectors = Array(repeating: ErrorDistribution(), count: 3)
        for (chassis, car) in try RealData.fold(file.name).sorted(by: { $0.key < $1.key }) {
            for (number, lap) in car.laps.sorted(by: { $0.key < $1.key }) {
                guard let time = official.laps[.init(chassis: chassis, lap: number)], let seconds = lap.seconds else {
                    continue
                }
                if lap.isExact { exact.add(seconds - time.seconds) } else { inexact.add(seconds - time.seconds) }
                for (sector, own) in lap.sectors.enumerated() where time.sectors.indices.contains(sector) {
                    if let own { sectors[sector].add(own - time.sectors[sector]) }
                }
            }
        }
        print("\(file.name): exact laps \(exact); others \(inexact)")
        for sector in 0..<3 where sectors[sector].count > 0 { print("\(file.name): S\(sector + 1) \(sectors[sector])") }
        #expect(exact.count >= file.exact)
        #expect(inexact.count >= file.inexact)
        #expect(exact.median <= file.median)
        #expect(exact.p90 <= file.p90)
    }
}
