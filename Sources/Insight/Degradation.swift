import Telemetry

/// How many seconds a lap gets slower per lap, from a car's own settled lap times within one stint.
///
/// Laps that say nothing about the tyres are left out: those the car stood still in (`stopped`; a new stint begins
/// after it), those without a sure time (`untimed`), those more than 7 % above the lower quartile of the stint (`slow`:
/// in and out laps, full course yellow), and those further than 3 robust standard deviations from the Theil–Sen line
/// (`outlier`: traffic, a mistake). Through the rest goes the least squares line; the interval is Student's t on its
/// slope with n − 2 degrees of freedom.
///
/// Sources: Sen 1968 (the line); Rousseeuw and Leroy 1987, chapter 5 (the robust deviation with its correction for few
/// laps, without which good laps are thrown out and intervals come out too narrow); any statistics text (the interval).
struct Degradation: Sendable {
    enum Verdict: UInt8, Sendable {
        case clean, untimed, stopped, slow, outlier

        var name: StaticString {
            switch self {
            case .clean: "clean"
            case .untimed: "untimed"
            case .stopped: "stopped"
            case .slow: "slow"
            case .outlier: "outlier"
            }
        }
    }

    struct TimedLap: Sendable {
        let number: Lap
        /// 0 where there is none.
        let seconds: Double
        var verdict: Verdict
    }

    /// Slope with its 80 % interval, s per lap, and the number of laps behind it.
    struct Estimate: Sendable, Equatable {
        let value: Double
        let low: Double
        let high: Double
        let laps: Int
    }

    static let lapsMax = 48
    static let lapsMin = 5
    static let slowFactor = 1.07
    static let outlierDeviations = 3.0
    /// Lap times jitter by the sampling interval; a smaller robust deviation than this is luck. s
    static let deviationMin = 0.03

    private(set) var laps: [TimedLap] = []
    private(set) var estimate: Estimate?

    init() {}

    /// - Parameter seconds: `nil` when the lap has no time one could rely on.
    mutating func add(_ number: Lap, seconds: Double?, stopped: Bool) {
        if stopped { startStint() }
        if laps.count == Degradation.lapsMax { laps.removeFirst() }
        let verdict: Verdict = stopped ? .stopped : seconds == nil ? .untimed : .clean
        laps.append(TimedLap(number: number, seconds: seconds ?? 0, verdict: verdict))
        judge()
        estimate = fit()
    }

    mutating func startStint() {
        laps.removeAll(keepingCapacity: true)
        estimate = nil
    }

    private mutating func judge() {
        for index in laps.indices where laps[index].verdict == .slow || laps[index].verdict == .outlier {
            laps[index].verdict = .clean
        }
        // Arrays that grow by themselves would be most of what a lap allocates.
        var values: [Double] = []
        values.reserveCapacity(laps.count)
        for lap in laps where lap.verdict == .clean { values.append(lap.seconds) }
        guard values.count >= 3 else { return }
        values.sort()
        let slow = values[(values.count - 1) / 4] * Degradation.slowFactor
        for index in laps.indices where laps[index].verdict == .clean && laps[index].seconds > slow {
            laps[index].verdict = .slow
        }
        let count = cleanCount
        guard count >= Degradation.lapsMin else { return }
        let line = theilSen(&values)
        let correction = 1 + 5 / Double(count - 2)
        values.removeAll(keepingCapacity: true)
        for lap in laps where lap.verdict == .clean { values.append(line.residual(lap).magnitude) }
        let deviation = 1.4826 * correction * median(reordering: &values)
        let limit = Degradation.outlierDeviations * max(Degradation.deviationMin, deviation)
        for index in laps.indices where laps[index].verdict == .clean && line.residual(laps[index]).magnitude > limit {
            laps[index].verdict = .outlier
        }
    }

    private var cleanCount: Int { laps.count { $0.verdict == .clean } }

    private struct Line {
        let slope: Double
        let intercept: Double
        func residual(_ lap: TimedLap) -> Double { lap.seconds - intercept - slope * Double(lap.number) }
    }

    /// Of the clean laps. `values` is only memory.
    private func theilSen(_ values: inout [Double]) -> Line {
        var slopes: [Double] = []
        slopes.reserveCapacity(laps.count * (laps.count - 1) / 2)
        for (index, first) in laps.enumerated() where first.verdict == .clean {
            for second in laps[(index + 1)...] where second.verdict == .clean && second.number != first.number {
                slopes.append((second.seconds - first.seconds) / (Double(second.number) - Double(first.number)))
            }
        }
        let slope = median(reordering: &slopes)
        values.removeAll(keepingCapacity: true)
        for lap in laps where lap.verdict == .clean { values.append(lap.seconds - slope * Double(lap.number)) }
        return Line(slope: slope, intercept: median(reordering: &values))
    }

    private func fit() -> Estimate? {
        let clean = laps.lazy.filter { $0.verdict == .clean }
        let laps = cleanCount
        guard laps >= Degradation.lapsMin else { return nil }
        let count = Double(laps)
        let meanLap = clean.reduce(0) { $0 + Double($1.number) } / count
        let meanTime = clean.reduce(0) { $0 + $1.seconds } / count
        var spread = 0.0
        var product = 0.0
        for lap in clean {
            let offset = Double(lap.number) - meanLap
            spread += offset * offset
            product += offset * (lap.seconds - meanTime)
        }
        guard spread > 0 else { return nil }
        let slope = product / spread
        let line = Line(slope: slope, intercept: meanTime - slope * meanLap)
        let squares = clean.reduce(0) { $0 + line.residual($1) * line.residual($1) }
        let deviation = (squares / (count - 2) / spread).squareRoot()
        let margin = Degradation.studentT90(degreesOfFreedom: count - 2) * deviation
        return Estimate(value: slope, low: slope - margin, high: slope + margin, laps: laps)
    }

    /// The 90 % quantile of Student's t, so 80 % lie within ± it; within 0.002 from 3 degrees of freedom on.
    /// Source: Abramowitz and Stegun, 26.7.5, with the normal quantile 1.2815516 put in.
    static func studentT90(degreesOfFreedom n: Double) -> Double {
        1.281_551_6 + 0.846_586 / n + 0.570_884 / (n * n) + 0.258_542 / (n * n * n)
    }
}

// MARK: Snapshot format

extension Degradation {
    func encode(into writer: inout BinaryWriter) {
        writer.write(UInt8(laps.count))
        for lap in laps {
            writer.write(lap.number)
            writer.write(lap.seconds)
            writer.write(lap.verdict.rawValue)
        }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        let count: UInt8 = try reader.read()
        guard count <= Degradation.lapsMax else { throw .invalid(what: "timed laps", value: "\(count)") }
        laps.reserveCapacity(Int(count))
        for _ in 0..<count {
            let number: Lap = try reader.read()
            let seconds = try reader.readDouble()
            let raw: UInt8 = try reader.read()
            guard let verdict = Verdict(rawValue: raw) else { throw .invalid(what: "lap verdict", value: "\(raw)") }
            laps.append(TimedLap(number: number, seconds: seconds, verdict: verdict))
        }
        // A function of the laps, so it is not stored.
        estimate = fit()
    }
}
