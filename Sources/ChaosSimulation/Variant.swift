/// The cluster with one thing done wrong, to see that the checks would notice.
package enum Variant: String, CaseIterable, Sendable {
    case keepsRepeats
    case forgetsOrigin
    case acknowledgesFailures
    case storesWhatFollows
    case skipsAfterRestore
    case checksNoSnapshot
    case usesOtherEngines
    case hidesGaps
    case handsNothingOver
    case neverSyncs
    case foldsByTimeOfDay
    case trustsSilentPeers
    case followsNobody
    case resumesFromLatest
    case ignoresSilence
    case dropsFrames
    case condemnsTheLate
    case distrustsRepeats
    case opensTheGate
    case buriesTheDead

    /// What is done wrong.
    package var summary: String {
        switch self {
        case .keepsRepeats: "the hub takes outputs that another replica said before"
        case .forgetsOrigin: "records go to the log without saying which publish they are of"
        case .acknowledgesFailures: "a publish counts as durable whatever the log says"
        case .storesWhatFollows: "what was published behind something that failed goes to the log before that does"
        case .skipsAfterRestore: "a replica goes on one record too far after its snapshot"
        case .checksNoSnapshot: "a damaged snapshot is used"
        case .usesOtherEngines: "a snapshot is used whichever engines made it"
        case .hidesGaps: "a client is not told that the log has lost what it asks for"
        case .handsNothingOver: "a node lets go of a shard without waiting for another to have it"
        case .neverSyncs: "nodes gossip, and never compare all they know"
        case .foldsByTimeOfDay: "a replica leaves out what its clock says is yet to come"
        case .trustsSilentPeers: "a node waits for ever for a peer that it follows and that says nothing"
        case .followsNobody: "a node serves its clients only what it folds itself"
        case .resumesFromLatest: "who comes back gets what comes next, not what he missed"
        case .ignoresSilence: "a client waits for ever for a node that says nothing"
        case .dropsFrames: "frames to a client that reads slowly are left out"
        case .condemnsTheLate: "a node that answers late is dead: it is not asked again and has no time to deny it"
        case .distrustsRepeats: "who sends a datagram that comes twice is taken for a forger and not listened to"
        case .buriesTheDead: "who was taken for dead is not listened to ever again"
        case .opensTheGate: "a node takes in all clients that come, however many at once"
        }
    }

    /// What else has to happen for it to matter: nobody changes from a source that is well.
    package var beside: [FaultKind] {
        switch self {
        case .keepsRepeats: [.crash]
        default: []
        }
    }

    /// The kinds of fault that it is there for.
    package var faults: [FaultKind] {
        switch self {
        case .keepsRepeats: [.slowReplica]
        case .handsNothingOver: [.drain]
        case .forgetsOrigin: [.ambiguousAcks]
        case .acknowledgesFailures: [.brokerErrors, .brokerCut]
        case .storesWhatFollows: [.brokerErrors, .ambiguousAcks]
        case .skipsAfterRestore: [.crash, .crashInSnapshot, .crashInPromotion]
        case .checksNoSnapshot: [.corruptSnapshot, .tornSnapshot]
        case .usesOtherEngines: [.upgrade]
        case .hidesGaps: [.truncatedLog]
        case .neverSyncs: [.newAddress]
        case .buriesTheDead: [.partition, .oneWay, .swizzle]
        case .foldsByTimeOfDay: [.clockJump]
        case .trustsSilentPeers: [.powerLoss]
        case .followsNobody: [.partition, .oneWay]
        case .resumesFromLatest: [.clientResets, .reconnectStorm]
        case .ignoresSilence: [.clientCut, .pause]
        case .dropsFrames: [.slowReader]
        case .condemnsTheLate: [.delay, .loss, .starvation]
        case .distrustsRepeats: [.duplication]
        case .opensTheGate: [.crowd]
        }
    }
}
