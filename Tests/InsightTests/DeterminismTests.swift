import Foundation
import Insight
import Telemetry
import Testing

/// The same points give the same bytes in another process, where hash seeds and addresses are others.
@Suite struct DeterminismTests {
    /// Hash over everything said and the state after every hundredth point.
    private static func hash(seed: UInt64) -> UInt64 {
        var engine = ChassisEngine(stream: StreamID(.chassis, "GR86-006-7"), tracks: .builtIn)
        var outputs = EngineOutputs()
        var source = RandomPoints(seed: seed)
        var writer = BinaryWriter()
        var hash: UInt64 = 0
        for index in 0..<5_000 {
            outputs.removeAll()
            engine.apply(source.next(), into: &outputs)
            hash = StableHash.hash(outputs.insight.bytes, seed: hash)
            hash = StableHash.hash(outputs.alerts.bytes, seed: hash)
            guard index.isMultiple(of: 100) else { continue }
            writer.removeAll()
            engine.encode(into: &writer)
            hash = StableHash.hash(writer.bytes, seed: hash)
        }
        return hash
    }

    @Test func `two processes say the same and end in the same state`() async throws {
        let result = try #require(
            await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
                for seed in 0..<5 as Range<UInt64> { print("hash \(DeterminismTests.hash(seed: seed))") }
            })
        let output = String(decoding: result.standardOutputContent, as: UTF8.self)
        let theirs = output.split(separator: "\n").filter { $0.hasPrefix("hash ") }.map(String.init)
        #expect(theirs == (0..<5 as Range<UInt64>).map { "hash \(DeterminismTests.hash(seed: $0))" })
    }
}
