import Delivery
import Replication
import Sharding
import Simulation
import Telemetry

/// One place in the cluster: a machine with a disk, and the process that runs there, life after life.
final class SimulatedNode {
    let number: Int
    let id: NodeID
    var address: PeerAddress
    /// Which life this is; what belongs to an earlier one is void.
    var life = 0
    /// `nil` while the process is dead.
    var process: Process?
    var disk = MemorySnapshotStore()
    var tracks: TrackTable
    /// The engines that made each stored snapshot, whatever the snapshot says.
    var engines: [StoredAt: UInt32] = [:]
    var clockOffset = Duration.zero
    var isPaused = false
    var held: [Happening] = []
    var starvations = 0
    var slowness = 0
    var stopsLater = false

    struct StoredAt: Hashable {
        let shard: Int
        let offset: Int64
    }

    init(number: Int, tracks: TrackTable) {
        self.number = number
        self.tracks = tracks
        guard let id = NodeID("n\(number)") else { preconditionFailure("n\(number) is no name") }
        self.id = id
        address = PeerAddress(ipv4: 0x0A00_0000 + UInt32(number), port: 7_946)
    }

    final class Process {
        var membership: Membership
        var scheduledTick = Duration.never
        var plan: NodePlan
        var isDeciding = false
        var decidedAt = Duration.zero
        let begunAt: Duration
        var replica = SimulatedReplica()
        var folding: Set<Int> = []
        // What serves clients.
        var hub: Hub
        var sources: ShardSources
        var view = ClusterView()
        var lineages: [Int: UInt64] = [:]
        var liveHere: Set<Int> = []
        var publishers: [SessionID: PublisherSessions] = [:]
        /// Of each connection, which has one publisher: see `AppendLane`.
        var lanes: [SessionID: Int] = [:]
        var closedLanes: Set<Int> = []
        /// When the last append begins: one goes after the other.
        var appendsUntil = Duration.zero
        var answersUntil = Duration.zero
        /// Sessions and the wires they are on.
        var wires: [SessionID: Int] = [:]
        var isServing = false
        var isDraining = false
        var isLeaving = false
        var awaiting: [Awaiting] = []
        var wantedUntil: [Int: Duration] = [:]
        var cursors: [UInt64: ReplayCursor] = [:]
        var beatAt = Duration.zero
        var snapshotAt = Duration.zero
        /// Shards that others follow here, by the number of their link.
        var followers: [Int: Set<Int>] = [:]
        /// The links to whom this node follows.
        var links: [NodeID: Int] = [:]
        var tables = ReadTables()
        var beginnings: BeginningsGate
        /// Subscriptions that began, by the second.
        var begun: [Int64: Int] = [:]
        /// Whom it does not listen to (`Variant.distrustsRepeats`).
        var distrusted: Set<PeerAddress> = []

        init(
            _ membership: Membership, _ plan: NodePlan, _ hub: Hub, _ sources: ShardSources,
            _ beginnings: BeginningsGate, at now: Duration
        ) {
            (self.membership, self.plan, self.hub, self.sources) = (membership, plan, hub, sources)
            self.beginnings = beginnings
            begunAt = now
        }
    }

    /// Tables are read when they change.
    struct ReadTables {
        private var known: [NodeID: (bytes: [UInt8], table: NodeTable)] = [:]

        mutating func read(_ member: Membership.Member) -> NodeTable {
            if let (bytes, table) = known[member.id], bytes == member.table { return table }
            let table = (try? NodeTable(member.table)) ?? NodeTable()
            known[member.id] = (member.table, table)
            return table
        }
    }

    struct Awaiting {
        let shards: Set<Int>
        let until: Duration
        let session: SessionID
        let request: SubscribeRequest
    }
}
