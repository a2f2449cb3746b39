import Gossip
import Replication
import Sharding
import Storage
import Telemetry
import Threads
import Web

/// A node's part in a cluster: gossip, the decision which shards it hosts, and what it takes from peers.
///
/// `@unchecked Sendable`: what `begin` sets is set once, before the threads that read it are started.
final class Cluster: @unchecked Sendable {
    let follower: PeerFollower
    let states: PeerStates
    private let config: NodeConfig
    private let kafka: NodeConfig.KafkaConfig
    private let journal: Log
    private let inbox: ServiceInbox
    private let client: WebClient
    private let own: NodeID
    private let gossip: GossipThread
    private var thread: ClusterThread?
    private var worker: Worker?
    private let failure = Monitor<NodeError?>(nil)

    /// - Throws: naming the setting that is in the way, or the address that is in use.
    init(_ config: NodeConfig, _ kafka: NodeConfig.KafkaConfig, inbox: ServiceInbox, journal: Log) throws(NodeError) {
        self.config = config
        self.kafka = kafka
        self.inbox = inbox
        self.journal = journal
        guard let own = NodeID(config.nodeID) else {
            throw .settings(
                .notAllowed(name: "--node-id", value: config.nodeID, allowed: "1…63 letters, digits, '-', '_' or '.'"))
        }
        self.own = own
        do throws(WebError) { client = try WebClient() } catch { throw .web(error) }
        states = PeerStates(client, own: own, journal: journal)
        do throws(GossipError) {
            gossip = try GossipThread(try Cluster.gossipConfiguration(own, config, kafka))
        } catch { throw .gossip(error) }
        let gossip = gossip
        follower = PeerFollower(client, inbox: inbox, journal: journal, shardCount: config.partitions) { node in
            gossip.peerReset(node)
        }
    }

    /// What all nodes of a cluster must have alike is compared when they meet.
    private static func gossipConfiguration(
        _ own: NodeID, _ config: NodeConfig, _ kafka: NodeConfig.KafkaConfig
    ) throws(GossipError) -> GossipConfiguration {
        let shared = ClusterSettings([
            "--cluster": kafka.cluster, "--topic": config.topic, "--partitions": "\(config.partitions)",
            "--replicas": "\(kafka.replicas)",
        ])
        var gossip = GossipConfiguration(
            own: own, settings: shared, boot: UInt64(Timestamp.wall.microseconds / 1_000))
        if let key = kafka.gossipKey {
            do throws(GossipKeyError) { gossip.key = try GossipKey(key) } catch {
                throw .invalid(
                    field: "--gossip-key", value: "a secret", allowed: "32 bytes as 64 hex digits or as base64")
            }
        }
        gossip.bind = HostPort(host: config.host, port: UInt16(kafka.gossipPort))
        gossip.advertise = HostPort(host: kafka.advertise, port: 0)
        gossip.join = kafka.join
        gossip.joinDNS = kafka.joinDNS
        return gossip
    }

    /// Joins: finds other nodes and hosts what falls to this one.
    /// - Parameter port: where clients and peers reach this node.
    func begin(port: Int, replica: ReplicaThread) throws(LogError) {
        var table = NodeTable()
        table.url = "http://\(kafka.advertise.contains(":") ? "[\(kafka.advertise)]" : kafka.advertise):\(port)"
        table.version = slipstreamVersion
        table.zone = kafka.zone
        table.weight = kafka.weight
        let (gossip, inbox, states, journal) = (gossip, inbox, states, journal)
        let thread = ClusterThread(
            .init(
                own: own, table: table, shardCount: config.partitions, replicas: kafka.replicas, journal: journal,
                expectsOthers: !kafka.join.isEmpty || kafka.joinDNS != nil,
                publish: { table in
                    do throws(NodeTableError) {
                        try gossip.publish(table)
                    } catch { journal.error("this node's table is not told to others", [.reason: "\(error)"]) }
                },
                host: { replica.host($0) },
                rebuild: { replica.rebuild($0, $1) },
                holdBack: { replica.holdBack($0) },
                show: { view in
                    states.use(view)
                    inbox.post(.cluster(view))
                }))
        self.thread = thread
        worker = try Worker.start("cluster") { thread.run() }
        do throws(GossipError) {
            try gossip.start { [thread] members in
                thread.members(members)
            } onReport: { [self] report in
                tell(report)
            }
        } catch { throw .io(reason: "\(error)") }
        journal.notice("gossip begins", [.address: "\(kafka.advertise):\(gossip.port)", .path: table.url])
    }

    func reports(_ reports: [HostedReport]) { thread?.reports(reports) }

    var members: [GossipMember] { thread?.members ?? [] }
    var audit: ReplicaAudit.Counts { thread?.audit ?? .init() }
    var picture: ClusterPicture { thread?.picture ?? ClusterPicture() }

    /// Whether this node writes what is written once for a shard.
    func leads(_ partition: PartitionID) -> Bool { states.leader(of: partition) == own }

    func isLedElsewhere(_ partition: PartitionID) -> Bool {
        states.leader(of: partition).map { $0 != own } ?? false
    }

    /// Why the node must end, if gossip says so.
    var fault: NodeError? { failure.withLock { $0 } }

    /// Hands over all shards. Blocks, within the drain's limit.
    func handOver() {
        guard !isAlone else { return journal.notice("nobody is there to take the shards over") }
        thread?.drain()
        let isDrained = thread?.awaitDrained(within: .milliseconds(kafka.drainTimeoutMilliseconds)) ?? true
        if isDrained {
            journal.notice("drained: others have all shards")
        } else {
            journal.error(
                "not drained in time: some shards have no other node",
                [.milliseconds: "\(kafka.drainTimeoutMilliseconds)"])
        }
    }

    /// Says goodbye. Blocks, for 2 s at most.
    func leave() { gossip.leave() }

    func end() {
        thread?.stop()
        worker?.join()
        gossip.stop()
        client.shutdown()
    }

    private var isAlone: Bool { !members.contains { $0.id != own && $0.isPresent } }

    private func tell(_ report: GossipReport) {
        switch report {
        case .membership(.malformed), .membership(.foreign): journal.debug("gossip", [.reason: "\(report)"])
        case .membership(.paused), .membership(.refuted):
            journal.notice("gossip", [.reason: "\(report)"])
            thread?.speakAgain()
        case .seedFailed, .unresolved: journal.notice("gossip", [.reason: "\(report)"])
        case .membership(.refused(_, let refusal)) where refusal != .key && isAlone:
            journal.error("gossip", [.reason: "\(report)"])
            // What differs is fixed for the life of a cluster; alone this node would be another one.
            failure.withLock { $0 = .refused(refusal) }
            inbox.post(.failed)
        case .membership, .frameTooLong: journal.error("gossip", [.reason: "\(report)"])
        }
    }
}
