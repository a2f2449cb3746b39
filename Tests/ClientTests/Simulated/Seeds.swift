import Foundation

/// How many runs a simulation makes. A failing seed is the reproduction.
enum Seeds {
    /// `SLIPSTREAM_SEEDS`: per block.
    private static let perBlock = ProcessInfo.processInfo.environment["SLIPSTREAM_SEEDS"].flatMap(UInt64.init) ?? 8

    static func of(_ block: UInt64) -> Range<UInt64> { block * perBlock..<(block + 1) * perBlock }
}
