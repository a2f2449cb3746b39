import Insight
import Telemetry
import Testing

/// Lap and sector times against the official ones. The figures are printed; docs/insights.md has them.
@Suite(.enabled(if: RealData.isThere, "needs the races in shared/data (SLIPSTREAM_DATA)"), .serialized)
struct OfficialTimingTests {
    struct File: CustomTestStringConvertible {
        let race: String
        let name: String
        let laps: Int
        let median: Double
        let sectorMedian: Double?
        var testDescription: String { name }
    }

    @Test(arguments: [
        File(race: "barber_r1", name: "barber_r1_car000_race_5hz.csv.gz", laps: 0, median: 0.12, sectorMedian: 1),
        File(race: "barber_r2", name: "barber_r2_thinned_race.csv.gz", laps: 0, median: 0.2, sectorMedian: 1),
        File(
            race: "indianapolis_r1", name: "indianapolis_r1_car47_full_race.csv.gz", laps: 0, median: 0.06,
            sectorMedian: 1),
        File(
            race: "indianapolis_r1", name: "indianapolis_r1_field_lap_crossings.csv.gz", laps: 0, median: 5,
            sectorMedian: nil),
        File(
            race: "road_america_r1", name: "road_america_r1_car2_laps1-8.csv.gz", laps: 0, median: 0.15,
            sectorMedian: nil),
    ])
    func `lap times agree with the official ones`(file: File) throws {
        let official = try OfficialTiming(race: file.race)
        var laps = ErrorDistribution()
        var inexact = ErrorDistribution()
        var sectors = Array(repeating: ErrorDistribution(), count: 3)
        for (chassis, car) in try RealData.fold(file.name).sorted(by: { $0.key < $1.key }) {
            print(chassis, car.assembler.counters, "late", car.engine.latePoints, "insights", car.insightCount)
            for (number, lap) in car.laps.sorted(by: { $0.key < $1.key }) {
                guard let time = official.laps[.init(chassis: chassis, lap: number)], let seconds = lap.seconds else {
                    continue
                }
                if lap.isExact { laps.add(seconds - time.seconds) } else { inexact.add(seconds - time.seconds) }
                if abs(seconds-time.seconds)>1 { print("   off", chassis, number, seconds, time.seconds) }
                for sector in 0..<3 {
                    if let own = lap.sectors[sector] { sectors[sector].add(own - time.sectors[sector]) }
                }
            }
        }
        print("\(file.name): laps \(laps); inexact \(inexact)")
        for sector in 0..<3 { print("\(file.name): S\(sector + 1) \(sectors[sector])") }
        #expect(laps.count >= file.laps)
        #expect(laps.median <= file.median)
    }
}
