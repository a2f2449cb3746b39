import Foundation
import Insight
import Telemetry

/// The real races, which are not part of the repository: `SLIPSTREAM_DATA`, or `shared/data` beside a parent folder.
enum RealData {
    static let folder: URL? = {
        if let path = ProcessInfo.processInfo.environment["SLIPSTREAM_DATA"] { return existing(URL(filePath: path)) }
        var parent = URL(filePath: #filePath)
        while parent.path != "/" {
            parent.deleteLastPathComponent()
            if let found = existing(parent.appending(path: "shared/data")) { return found }
        }
        return nil
    }()

    static let isThere: Bool = folder != nil

    private static func existing(_ url: URL) -> URL? {
        FileManager.default.fileExists(atPath: url.path) ? url : nil
    }

    struct Missing: Error {
        let path: String
    }

    /// The whole of a file, unpacked where it is packed.
    static func read(_ path: String) throws -> [UInt8] {
        guard let url = folder?.appending(path: path) else { throw Missing(path: path) }
        guard path.hasSuffix(".gz") else { return Array(try Data(contentsOf: url)) }
        let gzip = Process()
        let pipe = Pipe()
        gzip.executableURL = URL(filePath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", url.path]
        gzip.standardOutput = pipe
        try gzip.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        gzip.waitUntilExit()
        guard gzip.terminationStatus == 0 else { throw Missing(path: path) }
        return Array(data)
    }

    /// Rows of a CSV file without quotes by column name, blanks around names and a BOM removed.
    static func table(_ path: String, separator: Character = ",") throws -> [[String: String]] {
        let text = String(decoding: try read(path), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline)
        guard let header = lines.first else { return [] }
        let names = header.split(separator: separator, omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces.union(["\u{FEFF}"]))
        }
        return lines.dropFirst().map { line in
            let fields = line.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
            return Dictionary(zip(names, fields), uniquingKeysWith: { first, _ in first })
        }
    }
}

/// One car of a file: its points through assembler and engine, and the laps as last said.
struct FoldedCar {
    var assembler = PointAssembler()
    var engine: ChassisEngine
    var laps: [Lap: LapResult] = [:]
    var stress: [Lap: Double] = [:]

    init(_ id: String) { engine = ChassisEngine(stream: StreamID(.chassis, id), tracks: .builtIn) }

    mutating func take(_ point: borrowing Point, _ outputs: inout EngineOutputs) {
        outputs.removeAll()
        engine.apply(point, into: &outputs)
        if let lap = engine.lapNumber { stress[lap] = engine.lapTireStress }
        guard let lap = engine.lastLap else { return }
        laps[lap.number] = lap
        stress[lap.number] = lap.stress
    }
}

extension RealData {
    /// Folds a telemetry file, car by car in the order of the file.
    static func fold(_ file: String) throws -> [String: FoldedCar] {
        var cars: [String: FoldedCar] = [:]
        var outputs = EngineOutputs()
        var id = ""
        // Held apart so that a row does not copy the car out of the dictionary.
        var car = FoldedCar("")
        let bytes = try read("gr86/telemetry/\(file)")
        let decoder = CSVDecoder()
        try bytes.withUnsafeBytes { chunk in
            try decoder.feed(chunk) { _, record in
                if !record.chassis.elementsEqual(id.utf8) {
                    cars[id] = car
                    id = String(decoding: record.chassis, as: UTF8.self)
                    car = cars.removeValue(forKey: id) ?? FoldedCar(id)
                }
                var folded = car.assembler
                folded.add(record, logTime: Timestamp.earliest) { point, _ in car.take(point, &outputs) }
                car.assembler = folded
            } refused: { line, refusal in
                print("\(file):\(line): \(refusal)")
            }
        }
        cars[id] = car
        cars[""] = nil
        for (id, var car) in cars {
            var folded = car.assembler
            folded.flush { point, _ in car.take(point, &outputs) }
            car.assembler = folded
            cars[id] = car
        }
        return cars
    }
}
