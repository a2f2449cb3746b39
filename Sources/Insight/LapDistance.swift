import Telemetry

/// Where on the lap the car is, m from start/finish.
///
/// A sampled lap distance is held until the next one. Where none comes for `patience` seconds, or never did, the way
/// is integrated from speed (trapezoids between speed samples) since the last one or the lap change, and is estimated.
struct LapDistance: Sendable {
    static let patience = 10.0

    /// The last sample of this lap; `nil` before the first.
    private var sampled: Double?
    /// Since `sampled`, or since the lap began: up to the last speed sample, then on at that speed.
    private var travelled = 0.0
    private var metresPerSecond = 0.0
    private var secondsSinceSpeed = 0.0
    private var secondsSinceSample = LapDistance.patience

    init() {}

    var isEstimated: Bool { secondsSinceSample >= LapDistance.patience }

    var metres: Double {
        if let sampled, !isEstimated { return sampled }
        return (sampled ?? 0) + travelled + metresPerSecond * min(secondsSinceSpeed, LapDistance.patience)
    }

    mutating func startLap() {
        sampled = nil
        restart()
    }

    mutating func advance(seconds: Double, distance: Double?, speed: Double?) {
        secondsSinceSpeed += seconds
        secondsSinceSample = min(secondsSinceSample + seconds, LapDistance.patience)
        if let speed {
            let now = speed / 3.6
            travelled += (metresPerSecond + now) / 2 * min(secondsSinceSpeed, LapDistance.patience)
            metresPerSecond = now
            secondsSinceSpeed = 0
        }
        if let distance {
            sampled = distance
            secondsSinceSample = 0
            restart()
        }
    }

    private mutating func restart() {
        travelled = 0
        secondsSinceSpeed = 0
    }
}

// MARK: Snapshot format

extension LapDistance {
    func encode(into writer: inout BinaryWriter) {
        writer.write(sampled) { $0.write($1) }
        writer.write(travelled)
        writer.write(metresPerSecond)
        writer.write(secondsSinceSpeed)
        writer.write(secondsSinceSample)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        sampled = try reader.readOptional(BinaryReader.double)
        travelled = try reader.readDouble()
        metresPerSecond = try reader.readDouble()
        secondsSinceSpeed = try reader.readDouble()
        secondsSinceSample = try reader.readDouble()
    }
}
