import Delivery
import Telemetry
import Testing

@Suite struct StreamRingTests {
    /// The ring against an array that keeps everything.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a ring holds the newest outputs byte for byte`(seed: UInt64) {
        var random = HubSimulation.Random(state: seed)
        var ring = StreamRing(capacityMax: 1)  // Raised to the largest record.
        var all: [[UInt8]] = []
        for seq in 1...UInt64(100) {
            let size = Int.random(in: 1...(seed % 2 == 0 ? 300 : 30_000), using: &random)
            let json = [UInt8](repeating: UInt8.random(in: 32...126, using: &random), count: size)
            all.append(json)
            json.withUnsafeBytes {
                ring.append(
                    kind: .point, seq: seq, previous: seq - 1, time: Timestamp(microseconds: Int64(seq)), json: $0)
            }
            #expect(ring.end == seq)
        }
        for ordinal in ring.first..<ring.end {
            let entry = ring[ordinal]
            #expect(entry.seq == ordinal + 1)
            #expect(ring.withBytes(of: entry) { Array($0) } == all[Int(ordinal)])
        }
        #expect(ring.floor[0] == ring.first)
        #expect(ring.bytesReserved < 200 << 10)
        #expect(ring.end > ring.first)
    }

    @Test func `a position is found as long as nothing after it was let go`() {
        var ring = StreamRing(floor: [10, 8, 0], capacityMax: 64 << 10)
        for seq in UInt64(11)...20 {
            [UInt8](repeating: 0x20, count: 10).withUnsafeBytes {
                ring.append(
                    kind: .point, seq: seq, previous: seq - 1, time: Timestamp(microseconds: Int64(seq)), json: $0)
            }
        }
        let lineage = Lineage(1)
        #expect(ring.ordinal(after: Position(lineage: lineage, seq: 10), kinds: [.point]) == 0)
        #expect(ring.ordinal(after: Position(lineage: lineage, seq: 15), kinds: [.point]) == 5)
        #expect(ring.ordinal(after: Position(lineage: lineage, seq: 20), kinds: [.point]) == 10)
        #expect(ring.ordinal(after: Position(lineage: lineage, seq: 9), kinds: [.point]) == nil)
        #expect(ring.ordinal(after: Position(lineage: lineage, seq: 15, insight: 7), kinds: [.point, .insight]) == nil)
    }
}
