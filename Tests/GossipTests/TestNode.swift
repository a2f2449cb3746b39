import Sharding
import Threads

@testable import Gossip

/// A node on loopback that remembers what it was told.
final class TestNode: Sendable {
    struct Seen {
        var members: [GossipMember] = []
        var reports: [GossipReport] = []
        /// Every status each node has had, without repeats.
        var history: [NodeID: [Claim.Status]] = [:]
    }
    /// For a condition that must come about; reached only by a test that fails.
    static let patience = Duration.seconds(10)

    let id: NodeID
    let gossip: GossipThread
    private let seen = Monitor(Seen())

    init(
        _ name: String, join: [String] = [], host: String = "127.0.0.1", port: Int = 0,
        settings: [String: String] = [:],
        key: GossipKey? = nil, boot: UInt64 = 1_000, change: (inout GossipConfiguration) -> Void = { _ in }
    ) throws {
        guard let id = NodeID(name) else { throw WireError.invalid(what: "node id", value: name) }
        self.id = id
        var configuration = GossipConfiguration(own: id, settings: ClusterSettings(settings), boot: boot)
        configuration.bind = HostPort(host: host, port: UInt16(port))
        configuration.join = join
        configuration.key = key
        change(&configuration)
        gossip = try GossipThread(configuration)
    }

    var address: String { "\(gossip.advertised)" }

    func start() throws {
        let seen = seen
        try gossip.start(
            onChange: { members in seen.update { $0.take(members) } },
            onReport: { report in seen.update { $0.reports.append(report) } })
    }

    /// Waits until `condition` holds.
    func comesToSee(_ condition: (borrowing Seen) -> Bool) -> Bool {
        seen.when(condition, orAfter: Self.patience) { condition($0) }
    }
    func comesToSee(_ id: NodeID, _ status: Claim.Status) -> Bool {
        comesToSee { $0.member(id)?.status == status }
    }
    func comesToCount(_ condition: (GossipCounters) -> Bool) -> Bool {
        gossip.shared.status.when({ condition($0.counters) }, orAfter: Self.patience) { condition($0.counters) }
    }
    var now: Seen { seen.withLock { $0 } }
}

extension TestNode.Seen {
    func member(_ id: NodeID) -> GossipMember? { members.first { $0.id == id } }
    var presentCount: Int { members.count { $0.status == .alive } }

    mutating func take(_ members: [GossipMember]) {
        self.members = members
        for member in members where history[member.id]?.last != member.status {
            history[member.id, default: []].append(member.status)
        }
    }
}

/// Starts nodes of which each knows the first, and ends them all after `body`.
func withCluster(
    _ names: [String], key: GossipKey? = nil, host: String = "127.0.0.1", _ body: ([TestNode]) throws -> Void
) throws {
    var nodes: [TestNode] = []
    defer { for node in nodes { node.gossip.stop() } }
    for name in names {
        let node = try TestNode(name, join: nodes.first.map { [$0.address] } ?? [], host: host, key: key)
        nodes.append(node)
        try node.start()
    }
    try body(nodes)
}

func table(_ url: String, shards: Int = 0) -> NodeTable {
    var table = NodeTable()
    table.url = url
    table.shards = (0..<shards).map {
        ShardReport(
            ShardID($0), .live, lag: 1, hash: StateHash(offset: 10_000, hash: UInt64($0) &* 0x9E37_79B9_7F4A_7C15))
    }
    return table
}

func testKey(_ seed: UInt8) throws -> GossipKey { try GossipKey(bytes: (0..<32).map { $0 &+ seed }) }
