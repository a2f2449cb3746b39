import Telemetry
import Testing

@Suite struct PointAssemblerStateTests {
    /// Rows that meet every rule: repeats, late ones, laps, several clocks, other channels.
    static func rows(seed: UInt64, count: Int) -> [String] {
        var random = SplitMix(seed)
        var instant = 10
        return (0..<count).map { _ in
            if random.below(3) == 0 { instant = max(1, min(57, instant + random.below(4) - 1)) }
            let meta = random.below(8) == 0 ? "" : "\(instant + random.below(2))"
            let car = random.below(20) == 0 ? "" : "\(instant)"
            let name = ["speed", "nmot", "accx_can", "gear", "oil", "water"][random.below(6)]
            return "\([1, 1, 1, 2, 32768][random.below(5)]),\(meta),\(name),\(random.below(4)),\(car)"
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `a restored assembler goes on as if nothing had happened`(seed: UInt64) throws {
        let rows = Self.rows(seed: seed, count: 120)
        var whole = Assembly()
        try whole.add(rows.joined(separator: " "))
        whole.flush()

        var first = Assembly()
        try first.add(rows.prefix(60).joined(separator: " "))
        var reader = BinaryReader(first.state)
        var second = Assembly()
        second.assembler = try PointAssembler(from: &reader)
        #expect(reader.remaining == 0)
        #expect(second.state == first.state)
        try second.add(rows.suffix(60).joined(separator: " "))
        second.flush()

        #expect(first.points + second.points == whole.points)
        #expect(second.state == whole.state)
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `points do not depend on how rows are batched, and every row is accounted for`(seed: UInt64) throws {
        let rows = Self.rows(seed: seed, count: 100)
        var whole = Assembly()
        try whole.add(rows.joined(separator: " "))
        whole.flush()
        var single = Assembly()
        for row in rows { try single.add(row) }
        single.flush()
        #expect(single.points == whole.points)
        #expect(single.state == whole.state)

        let sampled = whole.points.reduce(0) { $0 + $1.sampled.count + extras(of: $1) }
        #expect(UInt64(sampled) + whole.assembler.counters.duplicates == 100)
        #expect(whole.points.map(\.seq) == Array(1...UInt64(whole.points.count)))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `spoiled state is refused or read, and never traps`(seed: UInt64) throws {
        var random = SplitMix(seed)
        var assembly = Assembly()
        try assembly.add(Self.rows(seed: seed, count: 40).joined(separator: " "))
        var bytes = assembly.state
        bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8))
        if random.below(2) == 0 { bytes.removeLast(random.below(bytes.count)) }
        var reader = BinaryReader(bytes)
        if var restored = try? PointAssembler(from: &reader) {
            restored.flush { _, bytes in #expect(!bytes.isEmpty) }
        }
    }

    private func extras(of point: SeenPoint) -> Int {
        ["\"oil\"", "\"water\""].count { point.json.contains($0) }
    }
}

/// Source: Sebastiano Vigna, SplitMix64.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
