import Insight
import Telemetry
import Testing

@Suite struct SnapshotTests {
    private struct Said: Equatable {
        var insight: [UInt8]
        var alerts: [UInt8]
    }

    private func fold(_ points: ArraySlice<Point>, _ engine: inout ChassisEngine) -> [Said] {
        var outputs = EngineOutputs()
        return points.map { point in
            outputs.removeAll()
            engine.apply(point, into: &outputs)
            return Said(insight: outputs.insight.bytes, alerts: outputs.alerts.bytes)
        }
    }

    private func state(of engine: ChassisEngine) -> [UInt8] {
        var writer = BinaryWriter()
        engine.encode(into: &writer)
        return writer.bytes
    }

    private let stream = StreamID(.chassis, "GR86-006-7")

    private func points(_ count: Int, seed: UInt64) -> [Point] {
        var source = RandomPoints(seed: seed)
        return (0..<count).map { _ in source.next() }
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func `an engine restored at any point goes on as if nothing had happened`(seed: UInt64) throws {
        let points = points(1_500, seed: seed)
        var engine = ChassisEngine(stream: stream, tracks: .builtIn)
        var restored = engine
        for index in points.indices {
            // Restored before every point, and never the engine that wrote the state.
            var reader = BinaryReader(state(of: restored))
            restored = try ChassisEngine(stream: stream, tracks: .builtIn, from: &reader)
            #expect(reader.remaining == 0)
            let expected = fold(points[index...index], &engine)
            try #require(fold(points[index...index], &restored) == expected, "at point \(index + 1)")
            try #require(state(of: restored) == state(of: engine), "after point \(index + 1)")
        }
        var json = JSONWriter()
        var restoredJSON = JSONWriter()
        engine.writeInsight(into: &json)
        restored.writeInsight(into: &restoredJSON)
        #expect(json.bytes == restoredJSON.bytes)
    }

    @Test(arguments: 100..<104 as Range<UInt64>)
    func `damaged state is refused or gives an engine that goes on, and never a crash`(seed: UInt64) {
        var engine = ChassisEngine(stream: stream, tracks: .builtIn)
        let points = points(1_000, seed: seed)
        _ = fold(points[...], &engine)
        let sound = state(of: engine)
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            var bytes = sound
            let index = Int.random(in: bytes.indices, using: &random)
            bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            var reader = BinaryReader(bytes)
            guard var damaged = try? ChassisEngine(stream: stream, tracks: .builtIn, from: &reader) else { continue }
            _ = fold(points[..<100], &damaged)
        }
    }

    @Test func `a stream's state stays below two kilobytes`() {
        var engine = ChassisEngine(stream: stream, tracks: .builtIn)
        var car = Car()
        car.drive(laps: (1...60).map { (number: $0, seconds: 100 + 0.05 * Double($0)) })
        #expect(car.state.count < 2_048)
        _ = fold(points(5_000, seed: 7)[...], &engine)
        #expect(state(of: engine).count < 2_048)
    }

    @Test func `an insight is JSON, whatever the points were`() throws {
        for point in 0..<20 as Range<UInt64> {
            var engine = ChassisEngine(stream: StreamID(.chassis, "a \"quoted\" \u{1}\\ id"), tracks: .builtIn)
            for said in fold(points(500, seed: point)[...], &engine) {
                for bytes in [said.insight, said.alerts] where !bytes.isEmpty { _ = try JSONText.parse(bytes) }
            }
        }
    }
}
