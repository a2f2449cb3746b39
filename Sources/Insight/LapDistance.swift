import Telemetry

/// Where on the lap the car is, m from start/finish.
///
/// A sampled lap distance is held until the next one. Where none comes for `patience` seconds, or never did, the way
/// is integrated from speed (trapezoids between speed samples) since the last one or the lap change, and is estimated.
struct LapDistance: Sendable {
    static let patience = 10.0

    /// The last sample of this lap; `nil` before the first.
    private var sampled: Double?
    /// Integrated since the lap began, up to the last speed sample; from there on at that speed.
    private var integrated = 0.0
    private var metresPerSecond = 0.0
    private var secondsSinceSpeed = 0.0
    /// `travelled` where `sampled` was taken.
    private var travelledAtSample = 0.0
    private var secondsSinceSample = LapDistance.patience

    init() {}

    var isEstimated: Bool { secondsSinceSample >= LapDistance.patience }

    var metres: Double {
        guard let sampled else { return travelled }
        return isEstimated ? sampled + travelled - travelledAtSample : sampled
    }

    /// What speed alone says, m since the lap began.
    var travelled: Double { integrated + metresPerSecond * min(secondsSinceSpeed, LapDistance.patience) }

    mutating func startLap() {
        sampled = nil
        integrated = 0
        secondsSinceSpeed = 0
        travelledAtSample = 0
    }

    mutating func advance(seconds: Double, distance: Double?, speed: Double?) {
        secondsSinceSpeed += seconds
        secondsSinceSample = min(secondsSinceSample + seconds, LapDistance.patience)
        if let speed {
            let now = speed / 3.6
            integrated += (metresPerSecond + now) / 2 * min(secondsSinceSpeed, LapDistance.patience)
            metresPerSecond = now
            secondsSinceSpeed = 0
        }
        if let distance {
            sampled = distance
            secondsSinceSample = 0
            travelledAtSample = travelled
        }
    }
}

// MARK: Snapshot format

extension LapDistance {
    func encode(into writer: inout BinaryWriter) {
        writer.write(sampled)
        writer.write(integrated)
        writer.write(metresPerSecond)
        writer.write(secondsSinceSpeed)
        writer.write(travelledAtSample)
        writer.write(secondsSinceSample)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        sampled = try reader.readOptional(BinaryReader.double)
        integrated = try reader.readDouble()
        metresPerSecond = try reader.readDouble()
        secondsSinceSpeed = try reader.readDouble()
        travelledAtSample = try reader.readDouble()
        secondsSinceSample = try reader.readDouble()
    }
}
