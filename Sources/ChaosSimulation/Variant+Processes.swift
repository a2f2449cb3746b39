/// Which variants real processes can be.
extension Variant {
    /// The scenario of `slipstream-chaos run` that notices; `nil`: there are no such nodes.
    package var scenario: String? {
        switch self {
        case .forgetsOrigin, .acknowledgesFailures, .followsNobody: "kill"
        // With one node dead alone its shards come from peers, and have no end to skip.
        case .skipsAfterRestore: "all-nodes"
        case .resumesFromLatest: "client-resets"
        case .foldsByTimeOfDay: "clock-jump"
        default: nil
        }
    }

    /// Why there are no such nodes.
    package var whySimulated: String? {
        switch self {
        case .dropsFrames: "a socket here holds all that a scenario sends to a slow client"
        case .keepsRepeats: "what goes to each client leaves out what was sent before, so nobody sees it"
        case .checksNoSnapshot: "snapshots are checked by their decoder, which has no switch; see `corrupted-snapshot`"
        case .usesOtherEngines: "there is one version of the engines to build"
        case .hidesGaps: "kafka-sim would have to lose records that somebody has not read yet"
        case .handsNothingOver: "the other replica serves on; it costs time and no record"
        case .trustsSilentPeers: "no scenario takes a machine away without a reset but `freeze`, which gossip notices"
        case .ignoresSilence: "the fault is in the SDK, which has no switch"
        case .neverSyncs, .buriesTheDead: "gossip has no switch; what runs in the simulation is its very core"
        case .storesWhatFollows: "the order in which appends go to the log has no switch"
        case .condemnsTheLate, .distrustsRepeats: "loopback neither delays datagrams nor doubles them"
        case .opensTheGate: "a crowd that hurts needs more processors than one machine has for clients and nodes"
        default: nil
        }
    }
}
