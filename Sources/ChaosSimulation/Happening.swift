import Client
import Delivery
import Replication
import Sharding
import Telemetry

/// What is due in a simulated cluster.
enum Happening {
    case fault(Int, begins: Bool)
    /// Something for one life of a node.
    case node(Int, life: Int, NodeEvent)
    case link(Int, toFollower: Bool)
    case wire(Int, toNode: Bool)
    case opened(Int)
    /// One end of a wire hears that it is gone.
    case lost(Int, atNode: Bool)
    case wake(Int)
    case publish(Int)
    case boot(Int, wipes: Bool)
    case check
}

enum NodeEvent {
    case membership(Membership.Event)
    case tick
    case serve
    case decide
    case fold(Int)
    case restored(Int, attempt: Int)
    case append(SessionID, Origin, NewRecord, lane: Int)
    case appended(SessionID, Origin, stored: Bool, lane: Int)
    case replay(Hub.ReplayRequest, until: Duration)
    case linkLost(NodeID, link: Int)
    case stop
    case resume
    case starve
}

/// What a node that is followed says.
enum LinkMessage {
    case follow(Int)
    case unfollow(Int)
    case restored(shard: Int, lineage: UInt64?, streams: [RestoredStream])
    case outputs(shard: Int, lineage: UInt64, OutputBatch)
    case gone(shard: Int)
    case beat
}
