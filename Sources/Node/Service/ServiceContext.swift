import Replication
import Storage
import Telemetry

/// What the serving thread needs of the rest of the node.
struct ServiceContext {
    let config: NodeConfig
    let journal: Log
    let inbox: ServiceInbox
    let offer: LogOffer
    let replica: ReplicaThread
    let replays: ReplayThread
    let udp: UDPListener?
    /// `nil` on a node that has no peers.
    let cluster: Cluster?
    /// Ends the node.
    let stop: @Sendable () -> Void
    /// Calls `timer` once, after this many microseconds.
    let setTimer: (Int64) -> Void

    /// How shards of other nodes are followed.
    var follower: PeerFollower? { cluster?.follower }
    var udpCounts: UDPListener.Counts { udp?.currentCounts ?? .init() }
}

/// Offers records to the log and lets the replica know when they are there.
struct LogOffer: Sendable {
    let writer: LogWriter
    let replica: ReplicaThread

    /// - Parameter completion: called on the log's thread.
    /// - Returns: false when too much waits for the log already.
    func callAsFunction(_ records: [NewRecord], completion: @escaping LogWriter.Completion) -> Bool {
        writer.offer(records) { [replica] result in
            if case .success = result { replica.appended() }
            completion(result)
        }
    }
}
