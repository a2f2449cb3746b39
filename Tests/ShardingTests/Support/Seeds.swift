import Foundation

/// How many runs a property test makes. A failing seed is the reproduction.
enum Seeds {
    /// `SLIPSTREAM_SEEDS`: times as many as usual are made.
    private static let factor = ProcessInfo.processInfo.environment["SLIPSTREAM_SEEDS"].flatMap(UInt64.init) ?? 1

    static func first(_ count: UInt64) -> Range<UInt64> { 0..<count * factor }
}
