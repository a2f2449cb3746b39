import Foundation

/// A node that does one thing wrong on purpose, to see that `slipstream-chaos` notices (docs/chaos.md). Never by itself:
/// `SLIPSTREAM_FAULT_VARIANT=resumesFromLatest` in the environment. Names as in the simulation.
enum FaultVariant: String, CaseIterable, Sendable {
    static let variable = "SLIPSTREAM_FAULT_VARIANT"

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

    /// `nil`: everything is done right.
    static func asked(_ journal: Log) -> FaultVariant? {
        guard let name = ProcessInfo.processInfo.environment[variable] else { return nil }
        guard let variant = FaultVariant(rawValue: name) else {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            journal.error("SLIPSTREAM_FAULT_VARIANT names no variant", [.reason: "\(name) is none of \(known)"])
            return nil
        }
        journal.error("a fault was asked for: this node does one thing wrong from here on", [.reason: name])
        return variant
    }
}
