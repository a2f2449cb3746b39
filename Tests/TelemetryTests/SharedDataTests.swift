import Compression
import Foundation
import Telemetry
import Testing

/// The shared real telemetry, where it is: `SLIPSTREAM_DATA`, or `shared/data` beside the repository.
enum SharedData {
    static let telemetry: URL? = {
        let places = [ProcessInfo.processInfo.environment["SLIPSTREAM_DATA"].map { URL(filePath: $0) }] + beside()
        return places.compactMap { $0?.appending(path: "gr86/telemetry") }
            .first { FileManager.default.fileExists(atPath: $0.path) }
    }()

    private static func beside() -> [URL?] {
        var places: [URL?] = []
        var folder = URL(filePath: #filePath)
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            places.append(folder.appending(path: "shared/data"))
        }
        return places
    }
}

@Suite(.enabled(if: SharedData.telemetry != nil, "no shared data: set SLIPSTREAM_DATA"))
struct SharedDataTests {
    /// Rows as data/README.md states them; the car of the raw sample is counted in its file.
    @Test(arguments: [
        ("barber_r1_car000_race_5hz.csv.gz", 115_212, 1), ("barber_r1_car000_raw_sample.csv", 10_000, 1),
        ("barber_r1_one_lap_per_car.csv.gz", 285_131, 13), ("barber_r1_selected_laps.csv.gz", 121_644, 1),
        ("barber_r2_thinned_race.csv.gz", 357_491, 10), ("cota_r1_one_lap_per_car.csv.gz", 253_235, 10),
        ("cota_r1_selected_laps.csv.gz", 168_694, 3), ("indianapolis_r1_car47_full_race.csv.gz", 891_039, 1),
        ("indianapolis_r1_field_lap_crossings.csv.gz", 172_217, 24),
        ("indianapolis_r1_selected_laps.csv.gz", 222_782, 4), ("road_america_r1_car2_laps1-8.csv.gz", 302_478, 1),
    ])
    func `every row of a real file is in a point, a duplicate or refused`(
        name: String, rows: Int, cars: Int
    ) throws {
        let file = try #require(SharedData.telemetry).appending(path: name)
        let tally = try Tally(reading: file.path)
        #expect(tally.refused == 0)
        #expect(tally.rows == rows)
        #expect(tally.cars.count == cars)
        let duplicates = tally.cars.values.reduce(0) { $0 + Int($1.counters.duplicates) }
        #expect(tally.valuesInPoints + duplicates + tally.refused == rows)
        for assembler in tally.cars.values {
            #expect(Int(assembler.seq) <= Int(assembler.counters.rows - assembler.counters.duplicates))
            #expect(assembler.counters.clockJumps == 0)
        }
    }
}

/// What a file comes to.
private struct Tally {
    var rows = 0
    var refused = 0
    var valuesInPoints = 0
    var cars: [String: PointAssembler] = [:]

    init(reading path: String) throws {
        let decoder = CSVDecoder()
        let reader = try Gzip.Reader(path)
        var chunk: [UInt8] = []
        while try reader.read(into: &chunk) > 0 {
            try chunk.withUnsafeBytes { bytes in
                try decoder.feed(bytes) { _, record in
                    add(record)
                } refused: { _, _ in
                    refused += 1
                }
            }
            chunk.removeAll(keepingCapacity: true)
        }
        try decoder.finish { _, record in
            add(record)
        } refused: { _, _ in
            refused += 1
        }
        rows += refused
        for car in cars.keys { cars[car]?.flush { point, _ in valuesInPoints += point.sampled.count } }
    }

    private mutating func add(_ record: borrowing Record) {
        rows += 1
        var values = 0
        cars[text(record.chassis), default: PointAssembler()]
            .add(record, logTime: Timestamp(microseconds: 0)) { point, _ in values += point.sampled.count }
        valuesInPoints += values
    }
}
