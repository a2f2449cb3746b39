/// A generator whose numbers depend on its seed alone, on every machine.
///
/// For races, benchmarks and tests, not for secrets. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators" (2014), SplitMix64 with the finalizer of Stafford's variant 13.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension RandomNumberGenerator {
    /// A draw from about a normal distribution: mean 0, standard deviation 1, never beyond ±3.5.
    ///
    /// The sum of four uniform draws, all from one word: cheap enough for every channel of every record, and without
    /// the logarithm and cosine whose last digit differs between C libraries.
    mutating func normal() -> Double {
        let word = next()
        let sum = (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + (word >> 48)
        return (Double(sum) / 65_535 - 2) * 1.732_050_807_568_877_2
    }
}
