/// Names a node for as long as its place in the cluster lasts: restarts and new addresses keep it.
///
/// ASCII letters, digits, `.`, `_` and `-`, at most 63 of them, as in a host name: it goes into every packet, and such
/// names compare and sort alike on every machine.
package struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let bytesMax = 63
    /// Of the name, the same on every machine. Kept, for ids are looked up and ranked all the time.
    package let hash: UInt64
    package let name: String

    /// - Returns: `nil` for a name that is empty, too long or has other characters.
    package init?(_ name: String) {
        guard Self.isAllowed(name.utf8) else { return nil }
        hash = StableMix.hash(name.utf8)
        self.name = name
    }

    /// As text.
    init?(_ name: ArraySlice<UInt8>) {
        guard Self.isAllowed(name) else { return nil }
        hash = StableMix.hash(name)
        self.name = String(decoding: name, as: UTF8.self)
    }

    /// Four bytes that stand for the id where only few nodes come into question.
    package var mark: UInt32 { UInt32(truncatingIfNeeded: hash) }

    package func hash(into hasher: inout Hasher) { hasher.combine(hash) }
    package static func < (left: NodeID, right: NodeID) -> Bool { left.name < right.name }
    package var description: String { name }

    private static func isAllowed(_ name: some Collection<UInt8>) -> Bool {
        (1...bytesMax).contains(name.count) && name.allSatisfy(isAllowed)
    }
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
