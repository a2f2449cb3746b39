/// What came of one scenario. Times in seconds since the first fault could come.
package struct ScenarioResult: Codable, Sendable {
    package enum Outcome: String, Codable, Sendable { case passed, failed, skipped }

    package struct Moment: Codable, Sendable {
        package var at: Double
        package var what: String
        package var isRelief: Bool
    }

    /// A stream that a client heard nothing of.
    package struct Gap: Codable, Sendable {
        package var client: String
        package var stream: String
        package var start: Double
        package var end: Double
    }

    package var scenario: String
    package var summary: String
    package var outcome = Outcome.skipped
    /// Why it failed or was skipped, in sentences.
    package var reasons: [String] = []
    package var seed: UInt64 = 0
    package var seconds = 0.0
    package var published = 0
    package var acknowledged = 0
    /// In the log's fold.
    package var points = 0
    package var lost = 0
    package var repeated = 0
    package var reordered = 0
    package var altered = 0
    package var resyncs = 0
    /// Of the longest gap of each stream at each client, s.
    package var gapMedian = 0.0
    package var gapP99 = 0.0
    package var gapMax = 0.0
    /// From a fault, or from its end, to the end of the last gap it made; the longest of all, s.
    package var recovery = 0.0
    /// How long the harness itself was held up by a busy machine, the longest, s. Gaps are no better than this.
    package var stall = 0.0
    package var hashesEqual = 0
    package var hashesExpected = 0
    package var memoryPeakBytes = 0
    package var moments: [Moment] = []
    /// The longest of all gaps beyond 200 ms.
    package var gaps: [Gap] = []

    package init(_ scenario: Scenario, seed: UInt64) {
        self.scenario = scenario.name
        summary = scenario.summary
        self.seed = seed
    }

    package mutating func take(_ findings: Checker.Findings) {
        lost = findings.lost
        repeated = findings.repeated
        reordered = findings.reordered
        altered = findings.altered
        resyncs = findings.resyncs
        if !findings.isClean { reasons += findings.samples }
    }

    /// - Parameter all: every gap of every stream at every client, and the longest of each.
    package mutating func take(gaps all: [Gap], longest: [Double]) {
        let sorted = longest.sorted()
        func quantile(_ share: Double) -> Double {
            sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
        (gapMedian, gapP99, gapMax) = (quantile(0.5), quantile(0.99), sorted.last ?? 0)
        gaps = Array(all.sorted { $0.end - $0.start > $1.end - $1.start }.prefix(600))
        recovery = ScenarioResult.recovery(from: moments, all)
    }

    /// A gap belongs to the last step before its end; one of less than 250 ms is no step's.
    private static func recovery(from moments: [Moment], _ gaps: [Gap]) -> Double {
        let steps = moments.map(\.at)
        return gaps.filter { $0.end - $0.start >= 0.25 }.compactMap { gap in
            steps.last { $0 < gap.end && $0 > gap.start - 1 }.map { gap.end - $0 }
        }.max() ?? 0
    }
}
