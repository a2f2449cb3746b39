/// Which partition a key belongs to: the one where any Java client, and librdkafka's `murmur2_random`, would put it.
package enum Partitioner {
    /// - Parameter count: how many partitions there are, at least 1.
    /// - Returns: 0 ..< `count`.
    package static func partition(ofKey key: UnsafeRawBufferPointer, count: Int) -> Int {
        precondition(count > 0, "a topic with \(count) partitions has no place for a key")
        // Java's `toPositive` drops the sign bit; it is not the absolute value.
        return Int(Murmur2.hash(key) & 0x7FFF_FFFF) % count
    }

    package static func partition(ofKey key: [UInt8], count: Int) -> Int {
        key.withUnsafeBytes { partition(ofKey: $0, count: count) }
    }

    package static func partition(ofKey key: String, count: Int) -> Int {
        var key = key
        return key.withUTF8 { partition(ofKey: UnsafeRawBufferPointer($0), count: count) }
    }
}
