import Sharding
import Testing

@Suite struct Murmur2Tests {
    /// Source: Kafka, `UtilsTest.testMurmur2`.
    @Test(arguments: [
        ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ])
    func `a key hashes as in Kafka's Java client`(key: String, expected: Int) {
        #expect(Int(Murmur2.hash(Array(key.utf8))) == expected)
    }

    @Test func `a negative hash loses its sign bit, not its sign`() {
        // −973932308 & 0x7fffffff = 1173551340, and 1173551340 mod 12 = 0; the absolute value would give 8.
        #expect(Partitioner.partition(ofKey: "21", count: 12) == 1_173_551_340 % 12)
        #expect(973_932_308 % 12 != 1_173_551_340 % 12)
    }

    @Test(arguments: [1, 3, 12, 100])
    func `every key has a place and every place gets keys`(count: Int) {
        let places = (0..<2_000).map { Partitioner.partition(ofKey: "GR86-\($0)", count: count) }
        #expect(Set(places) == Set(0..<count))
    }

    @Test func `an empty key has a place too`() {
        #expect((0..<12).contains(Partitioner.partition(ofKey: [UInt8](), count: 12)))
    }
}
