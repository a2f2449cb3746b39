import Replication
import Storage
import Telemetry

/// What the serving thread needs of the rest of the node.
struct ServiceContext {
    let config: NodeConfig
    let journal: Log
    let inbox: ServiceInbox
    let writer: LogWriter
    let replica: ReplicaThread
    let replays: ReplayThread
    let udp: UDPListener?
    /// `nil` on a node that has no peers.
    let cluster: Cluster?
    /// `nil` on a node with its own log.
    let kafka: KafkaUpkeep?
    let departure: Departure
    let variant: FaultVariant?
    /// Ends the node.
    let stop: @Sendable () -> Void
    /// Ends the node when others have taken over.
    let drain: @Sendable () -> Void
    /// Calls `timer` once, after this many microseconds.
    let setTimer: (Int64) -> Void

    /// How shards of other nodes are followed.
    var follower: PeerFollower? { cluster?.follower }
    var udpCounts: UDPListener.Counts { udp?.currentCounts ?? .init() }
}
