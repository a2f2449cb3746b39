/// What can go wrong in a simulated cluster.
package enum FaultKind: String, CaseIterable, Sendable {
    /// kill −9 of one node; it comes back with its disk.
    case crash
    /// As `crash`, but its machine is gone with it: nobody gets a reset, connections stay half open.
    case powerLoss
    /// As `crash`, in the middle of writing a snapshot, of which a part is stored.
    case crashInSnapshot
    /// kill −9 of a node whose shard is about to be live.
    case crashInPromotion
    /// It comes back with an empty disk and a new address.
    case newAddress
    /// It comes back as a version with other engines: what it or others stored before is of no use to it.
    case upgrade
    /// A planned leave; it comes back.
    case drain
    /// SIGSTOP, SIGCONT.
    case pause
    /// It gets the processor only now and then.
    case starvation
    /// It folds late.
    case slowReplica
    /// The time of day is off by an hour, either way.
    case clockJump
    /// Two groups of nodes do not hear each other.
    case partition
    /// What one node sends to another is lost, the other way goes.
    case oneWay
    /// Links between nodes break and heal, one after the other.
    case swizzle
    /// Datagrams between nodes are lost, come twice, late and out of order.
    case loss, duplication, delay
    /// A node cannot reach the log.
    case brokerCut
    /// Appends fail, and nothing was stored.
    case brokerErrors
    /// Appends fail, and some were stored nevertheless.
    case ambiguousAcks
    /// A stored snapshot is damaged.
    case corruptSnapshot, tornSnapshot
    /// The log forgets its oldest records.
    case truncatedLog
    /// Connections of clients break.
    case clientResets
    /// Clients and one node do not hear each other.
    case clientCut
    /// A client reads nothing for a while.
    case slowReader
    /// All clients of a node break off at once, many times.
    case reconnectStorm
    /// A node dies with hundreds of clients, or with 10,000 (`Crowd`), that all go to the others.
    case crowd

    /// All but a crowd, which some seeds have beside them.
    static let scattered = allCases.filter { $0 != .crowd }

    /// No process dies of it or is taken for dead.
    var leavesNodesTogether: Bool {
        switch self {
        case .drain, .starvation, .slowReplica, .clockJump, .loss, .duplication, .delay, .brokerErrors, .ambiguousAcks,
            .clientResets, .clientCut, .slowReader, .reconnectStorm:
            true
        default: false
        }
    }
}
