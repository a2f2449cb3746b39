/// Spreads 64 bits over 64 bits, the same on every machine and in every run, unlike `Hasher`. Not for security.
///
/// Source: Stafford's variant 13 of MurmurHash3's finalizer, as in SplitMix64; FNV-1a for names (Fowler, Noll, Vo).
enum StableMix {
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// FNV-1a alone leaves names that differ at the end alike in the high bits; the finalizer parts them.
    static func hash(_ name: some Collection<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return mix(hash)
    }
}
