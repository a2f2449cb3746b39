import Telemetry

/// Finds when a car passed the end of a sector, from the sampled lap distances nearest to it on both sides, whatever
/// order they come in. The first sample of a lap may still show the distance of the lap before ("late by a sample"):
/// as the nearest count and not the first, it does no harm.
struct SectorCrossing: Sendable {
    private struct Sample: Sendable {
        let distance: Double
        let stamp: Stamp
    }

    /// A crossing between samples further apart than this, µs, is not known well enough.
    static let bracketMax: Int64 = 5_000_000

    /// m from start/finish.
    private let distance: Double
    private var before: Sample?
    private var beyond: Sample?

    init(at distance: Double) { self.distance = distance }

    mutating func note(before sampled: Double, _ stamp: Stamp) {
        if let before {
            // Of equal distances the later one: the car stood there.
            if sampled < before.distance { return }
            if sampled == before.distance, stamp.wall <= before.stamp.wall { return }
        }
        before = Sample(distance: sampled, stamp: stamp)
    }

    mutating func note(beyond sampled: Double, _ stamp: Stamp) {
        if let beyond {
            if sampled > beyond.distance { return }
            if sampled == beyond.distance, stamp.wall >= beyond.stamp.wall { return }
        }
        beyond = Sample(distance: sampled, stamp: stamp)
    }

    /// When the car passed, at even speed between the two samples; `nil` when they are missing or too far apart.
    var stamp: Stamp? {
        guard let before, let beyond, beyond.distance > before.distance else { return nil }
        let part = min(1, max(0, (distance - before.distance) / (beyond.distance - before.distance)))
        let wall = SectorCrossing.between(before.stamp.wall, beyond.stamp.wall, part: part)
        guard let first = before.stamp.car, let last = beyond.stamp.car else {
            return wall.map { Stamp(car: nil, wall: $0) }
        }
        return SectorCrossing.between(first, last, part: part).map { Stamp(car: $0, wall: wall ?? beyond.stamp.wall) }
    }

    private static func between(_ first: Int64, _ last: Int64, part: Double) -> Int64? {
        let gap = last &- first
        guard gap >= 0, gap <= bracketMax else { return nil }
        return first &+ Int64((Double(gap) * part).rounded())
    }
}

// MARK: Snapshot format

extension SectorCrossing {
    func encode(into writer: inout BinaryWriter) {
        for sample in [before, beyond] {
            writer.write(sample) {
                $0.write($1.distance)
                $1.stamp.encode(into: &$0)
            }
        }
    }

    init(at distance: Double, from reader: inout BinaryReader) throws(BinaryError) {
        self.distance = distance
        before = try reader.readOptional(SectorCrossing.sample)
        beyond = try reader.readOptional(SectorCrossing.sample)
    }

    private static func sample(from reader: inout BinaryReader) throws(BinaryError) -> Sample {
        Sample(distance: try reader.readDouble(), stamp: try Stamp(from: &reader))
    }
}
