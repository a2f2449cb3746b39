import Foundation
import JSON
import Replication
import Telemetry

/// A partition as a replica reads it: batches of about a mebibyte.
struct EngineFeed {
    /// Until rings are full and every buffer has grown.
    let warmUp: [LogBatch]
    let batches: [LogBatch]
    /// Records in `batches`.
    let measured: Int
    let bytesPerRecord: Int

    init(records: Int, perValue: Int, cars: Int) {
        var race = BenchRace(cars: cars)
        var builder = Builder()
        // A ring holds a mebibyte: some 3,000 points and the insights between them.
        let warming = 4_000 / perValue + 1
        for _ in 0..<warming { builder.add(race.arrays(of: perValue)) }
        warmUp = builder.finish()
        let rounds = max(1, records / (perValue * cars))
        for _ in 0..<rounds { builder.add(race.arrays(of: perValue)) }
        batches = builder.finish()
        measured = rounds * perValue * cars
        bytesPerRecord = batches.reduce(0) { $0 + $1.bytes.count } / measured
    }

    private struct Builder {
        private var batches: [LogBatch] = []
        private var batch = LogBatch()
        private var offset = Offset.zero

        mutating func add(_ values: [(chassis: [UInt8], json: [UInt8])]) {
            for (chassis, json) in values {
                chassis.withUnsafeBytes { key in
                    json.withUnsafeBytes { value in
                        batch.append(offset: offset, timestamp: Timestamp(microseconds: 0), key: key, value: value)
                    }
                }
                offset = offset + 1
                if batch.bytes.count >= 1 << 20 { close() }
            }
        }

        mutating func finish() -> [LogBatch] {
            close()
            defer { batches = [] }
            return batches
        }

        private mutating func close() {
            if !batch.entries.isEmpty { batches.append(batch) }
            batch = LogBatch()
        }
    }

    // MARK: Peers

    /// Records per second of simdjson with our grammar alone, on the same bytes.
    func tapeRate() -> Double {
        let parser = JSONParser()
        var tokens = 0
        let start = monotonicNanoseconds()
        for batch in batches {
            batch.bytes.withUnsafeBytes { bytes in
                for entry in batch.entries {
                    guard let value = entry.value else { continue }
                    let count = try? parser.withTape(of: UnsafeRawBufferPointer(rebasing: bytes[value])) { $0.count }
                    tokens += count ?? 0
                }
            }
        }
        precondition(tokens > measured, "the tape must have been made")
        return Double(measured) / (Double(monotonicNanoseconds() - start) / 1e9)
    }

    /// The same of Foundation's `JSONDecoder`, on a part of it.
    func foundationRate() -> Double {
        struct Wide: Decodable {
            let meta_time, track, chassis: String
            let lap: Int
            let lapdist_m, speed_kmh, accx_can, accy_can, Steering_Angle, pbrake_f, rpm, aps: Double
            let gear: Int
        }
        let decoder = JSONDecoder()
        var count = 0
        let start = monotonicNanoseconds()
        for batch in batches where count < 20_000 {
            for entry in batch.entries where count < 20_000 {
                guard let value = entry.value else { continue }
                let data = Data(batch.bytes[value])
                if let array = try? decoder.decode([Wide].self, from: data) {
                    count += array.count
                } else if (try? decoder.decode(Wide.self, from: data)) != nil {
                    count += 1
                }
            }
        }
        return Double(count) / (Double(monotonicNanoseconds() - start) / 1e9)
    }
}
