/// Partition p of every topic together.
package struct ShardID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// A cluster has at most so many; a number above it in a message is malformed.
    package static let countMax = 65_536
    package let number: Int

    package init(_ number: Int) {
        precondition(number >= 0 && number < Self.countMax, "there is no shard \(number)")
        self.number = number
    }

    package static func < (left: ShardID, right: ShardID) -> Bool { left.number < right.number }
    package var description: String { "\(number)" }
}
