/// Why gossip could not start. Nothing is left open.
package enum GossipError: Error, Equatable, CustomStringConvertible {
    case invalid(field: String, value: String, allowed: String)
    case unresolved(field: String, value: String, reason: String)
    case addressInUse(String)
    /// No interface of this machine has it.
    case foreignAddress(String)
    /// Bound to all interfaces, none of which leads anywhere.
    case advertiseUnknown
    /// The system refused something that nothing in the settings explains.
    case system(attempt: String, reason: String)

    package var description: String {
        switch self {
        case .invalid(let field, let value, let allowed): "\(field) is '\(value)'; it must be \(allowed)"
        case .unresolved(let field, let value, let reason):
            "\(field): '\(value)' is not the name of any address (\(reason)); correct it or give an IP address"
        case .addressInUse(let address):
            "\(address) is in use, for UDP or TCP; stop what has it or choose another with --gossip-port"
        case .foreignAddress(let address):
            "\(address) is no address of this machine; bind to one of its own, or 0.0.0.0, and name this one with "
                + "--advertise"
        case .advertiseUnknown:
            "which address others reach this node at is not evident; name it with --advertise"
        case .system(let attempt, let reason): "\(attempt): \(reason)"
        }
    }
}
