import Telemetry

/// Is the car getting faster? Compares the mean speed of the last whole lap with that of the whole lap before.
///
/// Whole laps, because only then do the same corners weigh alike on both sides, at any rate of samples; a lap with a
/// stop or a gap says nothing about pace and is left out. (Pitwall compares halves of the last few points of all cars.)
struct SpeedTrend: Sendable {
    /// km/h between the laps; less is stable.
    static let threshold = 2.0

    private var last: Double?
    /// Newer mean − older mean, km/h; `nil` until there are two whole laps.
    private(set) var difference: Double?

    init() {}

    /// - Parameter mean: of a whole lap's speeds, km/h.
    mutating func add(lapMean mean: Double) {
        if let last { difference = mean - last }
        last = mean
    }

    /// Pitwall's word for it.
    var name: StaticString {
        guard let difference else { return "stable" }
        if difference > SpeedTrend.threshold { return "improving" }
        return difference < -SpeedTrend.threshold ? "degrading" : "stable"
    }
}

// MARK: Snapshot format

extension SpeedTrend {
    func encode(into writer: inout BinaryWriter) {
        writer.write(last)
        writer.write(difference)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        last = try reader.readOptional(BinaryReader.double)
        difference = try reader.readOptional(BinaryReader.double)
    }
}
