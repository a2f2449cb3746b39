/// What a node does wrong on purpose, to see that `slipstream-chaos` notices (docs/chaos.md): the setting
/// `fault-variant`. Names as in the simulation.
enum FaultVariant: String, CaseIterable, Sendable {
    /// Records go to the log without saying which publish they are of.
    case forgetsOrigin
    /// A publish is acknowledged whatever the log says, and before it says anything.
    case acknowledgesFailures
    /// A restored shard goes on one record too far.
    case skipsAfterRestore
    /// Clients get only what is folded here.
    case followsNobody
    /// Who comes back gets what comes next, not what he missed.
    case resumesFromLatest
    /// Records that are yet to come, by the clock of this machine, are left out.
    case foldsByTimeOfDay
}
