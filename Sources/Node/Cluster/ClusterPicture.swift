import Delivery
import Gossip
import Replication
import Sharding
import Telemetry

/// The cluster as one node knows it, for people and for clients that choose where to go.
struct ClusterPicture: Sendable, Equatable {
    struct Member: Sendable, Equatable {
        enum State: String, Sendable { case alive, suspect, leaving }

        let id: String
        let state: State
        /// `nil` where there is only this node: whoever asks knows how it is reached.
        var url: String?
        var gossip: String?
        var version = slipstreamVersion
        var zone = ""
        var weight = 100
    }

    struct Replica: Sendable, Equatable {
        enum State: String, Sendable {
            case restoring
            case catchingUp = "catching_up"
            case live
            /// Live, and about to go once others are.
            case draining
        }

        let node: String
        let state: State
        /// Of the next record to apply.
        let offset: UInt64
        let lag: UInt64
        var hash: StateHash?
    }

    struct Place: Sendable, Equatable {
        var leader: String?
        /// The order in which to try them, the leader first.
        var live: [String] = []
        var replicas: [Replica] = []
    }

    /// Counts the changes of members and places that this node has seen. Progress is none.
    private(set) var epoch: UInt64 = 0
    /// Of the same: nodes that agree on it see the same cluster.
    private(set) var view: UInt64 = 0
    private(set) var members: [Member] = []
    private(set) var places: [Place] = []

    init() {}
}

extension ClusterPicture {
    /// A node without others.
    init(alone node: String, _ reports: [HostedReport]) {
        members = [Member(id: node, state: .alive)]
        places = reports.map { report in
            let state = Replica.State(report.state)
            let replica = Replica(
                node: node, state: state, offset: UInt64(report.next.value), lag: UInt64(report.lag))
            let live = state == .live ? [node] : []
            return Place(leader: live.first, live: live, replicas: [replica])
        }
        (epoch, view) = (1, fingerprint)
    }

    /// - Parameter table: what this node says of itself now, which gossip may not know yet.
    func next(_ known: [GossipMember], own: NodeID, _ table: NodeTable, _ map: ShardMap) -> ClusterPicture {
        var next = ClusterPicture()
        next.members = known.filter(\.isPresent).map { member in
            Member(member, table: member.id == own ? table : member.table ?? NodeTable())
        }
        next.places = (0..<map.shardCount).map { number in
            let shard = ShardID(number)
            let live = map.serving(shard).map(\.node.name)
            return Place(leader: live.first, live: live, replicas: map[shard].map { Replica($0) })
        }
        next.view = next.fingerprint
        next.epoch = next.view == view ? epoch : epoch + 1
        return next
    }

    private var fingerprint: UInt64 {
        var writer = BinaryWriter()
        for member in members {
            for text in [member.id, member.state.rawValue, member.url ?? "", member.zone] { writer.write(text) }
            writer.write(UInt64(member.weight))
        }
        for place in places {
            for replica in place.replicas {
                writer.write(replica.node)
                writer.write(replica.state.rawValue)
            }
            for node in place.live { writer.write(node) }
        }
        return StableHash.hash(writer.bytes)
    }
}

extension ClusterPicture.Member {
    fileprivate init(_ member: GossipMember, table: NodeTable) {
        let state: State = member.status == .suspect ? .suspect : table.isDraining ? .leaving : .alive
        self.init(
            id: member.id.name, state: state, url: table.url.isEmpty ? nil : table.url,
            gossip: "\(member.address)", version: table.version, zone: table.zone, weight: table.weight)
    }
}

extension ClusterPicture.Replica {
    fileprivate init(_ replica: ShardMap.Replica) {
        let report = replica.report
        self.init(
            node: replica.node.name, state: State(report), offset: report.offset, lag: report.lag, hash: report.hash)
    }
}

extension ClusterPicture.Replica.State {
    fileprivate init(_ report: ShardReport) {
        self =
            switch report.phase {
            case .restoring: .restoring
            case .catchingUp: .catchingUp
            case .live: report.isLeaving ? .draining : .live
            }
    }

    fileprivate init(_ state: HostedShard.State) {
        self =
            switch state {
            case .restoring: .restoring
            case .catchingUp: .catchingUp
            case .live: .live
            }
    }
}
