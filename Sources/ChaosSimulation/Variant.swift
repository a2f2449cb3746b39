/// The cluster with one thing done wrong, to see that the checks would notice.
package enum Variant: String, CaseIterable, Sendable {
    /// The hub takes outputs that another replica said before.
    case keepsRepeats
    /// Records go to the log without saying which publish they are of.
    case forgetsOrigin
    /// A publish counts as durable whatever the log says.
    case acknowledgesFailures
    /// A replica goes on one record too far after its snapshot.
    case skipsAfterRestore
    /// Who comes back gets what comes next, not what he missed.
    case resumesFromLatest
    /// A node serves its clients only what it folds itself.
    case followsNobody
    /// A client waits for ever for a node that says nothing.
    case ignoresSilence
    /// Frames to a client that reads slowly are left out.
    case dropsFrames
}
