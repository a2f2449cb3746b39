/// Which variants real processes can be.
extension Variant {
    /// The scenario of `slipstream-chaos run` that notices; `nil`: there are no such nodes.
    package var scenario: String? {
        switch self {
        case .forgetsOrigin, .acknowledgesFailures, .skipsAfterRestore, .followsNobody, .keepsRepeats: "kill"
        case .resumesFromLatest: "client-resets"
        case .foldsByTimeOfDay: "clock-jump"
        case .dropsFrames: "slow-reader"
        default: nil
        }
    }

    /// Why there are no such nodes.
    package var whySimulated: String? {
        switch self {
        case .checksNoSnapshot: "SQLite finds most damage before the snapshot's own check does"
        case .usesOtherEngines: "there is one version of the engines to build"
        case .hidesGaps: "kafka-sim would have to lose records that somebody has not read yet"
        case .handsNothingOver: "the other replica serves on; it costs time and no record"
        case .neverSyncs: "sixteen seconds of gossip on one machine lose nothing that has to be compared"
        case .trustsSilentPeers: "no scenario takes a machine away without a reset but `freeze`, which gossip notices"
        case .ignoresSilence: "the fault is in the SDK, which has no switch"
        case .buriesTheDead: "the scenarios part nodes for less long than it takes to be sure that they stay apart"
        case .condemnsTheLate, .distrustsRepeats: "loopback neither delays nor doubles datagrams"
        case .opensTheGate: "a crowd needs more processors than a node has"
        default: nil
        }
    }
}
