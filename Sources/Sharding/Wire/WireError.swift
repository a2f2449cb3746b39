/// Why bytes from another node were refused. Nothing of them was used.
package enum WireError: Error, Equatable, CustomStringConvertible {
    case truncated(needed: Int, left: Int)
    case invalid(what: String, value: String)
    /// Bytes left after the last field.
    case trailing(Int)
    /// Made by another version of this protocol.
    case version(UInt8)

    package var description: String {
        switch self {
        case .truncated(let needed, let left): "\(needed) bytes needed, \(left) left"
        case .invalid(let what, let value): "\(what) has the impossible value \(value)"
        case .trailing(let count): "\(count) bytes too many"
        case .version(let version): "protocol version \(version), this node speaks \(Packet.version)"
        }
    }
}
