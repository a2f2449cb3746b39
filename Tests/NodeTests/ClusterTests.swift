import Client
import Foundation
import JSON
import Simulation
import Telemetry
import Testing
import Web

/// Three nodes on a simulated Kafka, through real processes: what clients see while nodes go.
@Suite(.serialized) struct ClusterTests {
    private static let cars = 6

    private static func startCluster(nodes: Int = 3) async throws -> TestCluster {
        let cluster = try TestCluster()
        for _ in 0..<nodes { try await cluster.add() }
        try await cluster.settle()
        return cluster
    }

    private static func client(of nodes: [NodeProcess]) throws -> SlipstreamClient {
        try SlipstreamClient(urls: nodes.map { "ws://\($0.address)" })
    }

    /// Publishes steps of a race, one record for each car in each, and calls `between` after each.
    private static func publish(
        _ steps: Int, to nodes: [NodeProcess], between: (Int) async throws -> Void = { _ in }
    ) async throws {
        var race = RaceSimulation(
            seed: 7, cars: cars, track: TrackTable.builtIn["barber"] ?? TrackTable.fallback, hertz: 10)
        let client = try client(of: nodes)
        let publisher = client.publisher()
        for step in 0..<steps {
            var json = JSONWriter()
            race.step { _, record in
                json.raw(json.isEmpty ? "[" : ",")
                json.raw(record)
            }
            json.raw("]")
            try await publisher.publish(json: json.bytes)
            try await between(step)
        }
        try await publisher.flush()
        await client.close()
    }

    /// Reads until every car has so many points; their numbers, by stream.
    private static func read(_ points: Int, from nodes: [NodeProcess]) throws -> Task<[String: [UInt64]], any Error> {
        let client = try client(of: nodes)
        let updates = client.updates(of: "chassis/*", include: .telemetry, from: .earliest)
        return Task {
            var seen: [String: [UInt64]] = [:]
            for try await update in updates {
                switch update {
                case .telemetry(let telemetry): seen[update.stream, default: []] += telemetry.points.map(\.seq)
                case .resync: Issue.record("a resync was not to be")
                case .insight, .alerts: break
                }
                if seen.count == cars, seen.values.allSatisfy({ $0.count >= points }) { break }
            }
            await client.close()
            return seen
        }
    }

    /// All nodes that host a stream have the same state of it.
    private static func expectEqualStates(_ nodes: [NodeProcess], points: Int) async throws {
        var hashes: [String: Set<String>] = [:]
        try await eventually(within: 30, "all replicas have \(points) points of each car") {
            hashes = [:]
            var copies = 0
            for node in nodes {
                for shard in try await node.json("/v1/cluster")["shards"]?.array ?? [] {
                    for stream in shard["streams"]?.array ?? [] {
                        guard stream["seq"]?.int == points else { return false }
                        copies += 1
                        hashes[stream["stream"]?.string ?? "", default: []].insert(stream["state_hash"]?.string ?? "")
                    }
                }
            }
            return copies == 2 * cars
        }
        #expect(hashes.values.allSatisfy { $0.count == 1 })
    }

    @Test func `streams carry on at another node when nodes are killed, nothing lost and nothing twice`() async throws {
        let cluster = try await ClusterTests.startCluster()
        let reader = try ClusterTests.read(1_200, from: cluster.nodes)
        try await ClusterTests.publish(1_200, to: cluster.nodes) { step in
            switch step {
            case 300: cluster.nodes[0].kill9()
            case 600:
                try await cluster.nodes[0].start()
                try await cluster.settle()
                cluster.nodes[1].kill9()
            default: break
            }
        }
        for (stream, numbers) in try await reader.value { #expect(numbers == Array(1...1_200), "\(stream)") }
        try await cluster.settle([cluster.nodes[0], cluster.nodes[2]])
        try await ClusterTests.expectEqualStates([cluster.nodes[0], cluster.nodes[2]], points: 1_200)
    }

    @Test func `a node that is drained hands over shards and clients and ends, and asking twice does no harm`()
        async throws
    {
        let cluster = try await ClusterTests.startCluster()
        let (first, rest) = (cluster.nodes[0], Array(cluster.nodes.dropFirst()))
        let reader = try ClusterTests.read(900, from: cluster.nodes)
        let socket = try SocketLog(first.address, path: "/v1/stream")
        try await eventually("it is open") { socket.isOpen }
        socket.send(#"{"type":"subscribe","id":"s","streams":["chassis/*"]}"#)
        try await ClusterTests.publish(900, to: cluster.nodes) { step in
            guard step == 300 else { return }
            for _ in 0..<2 {
                let status = try await first.request("POST", "/v1/drain").status
                #expect(status == 202)
            }
            let readiness = try await first.get("/readyz").status
            #expect(readiness == 503)
        }
        #expect(first.awaitExit() == 0)
        #expect(try first.log(1).contains("drained: others have all shards"))
        try await eventually("the client is told to go and closed") { socket.closeCode == 1_001 }
        let moved = try #require(socket.messages(of: "moved").first)
        #expect(socket.messages(of: "moved").count == 1)
        #expect(
            Set(moved["to"]?.array?.compactMap(\.string) ?? []) == Set(rest.map { "ws://\($0.address)/v1/stream" }))
        for (stream, numbers) in try await reader.value { #expect(numbers == Array(1...900), "\(stream)") }
        try await cluster.settle(rest)
        try await ClusterTests.expectEqualStates(rest, points: 900)
    }

    @Test func `any node answers for any stream, and its realtime feed shows the whole cluster`() async throws {
        let cluster = try await ClusterTests.startCluster()
        let feed = try SocketLog(cluster.nodes[2].address, path: "/ws/realtime")
        try await eventually("it is open") { feed.isOpen }
        // Answered when the node has a source for every shard: from then on the feed misses nothing.
        #expect(try await ClusterTests.streams(of: cluster.nodes[2]).isEmpty)
        try await ClusterTests.publish(30, to: [cluster.nodes[0]])
        try await ClusterTests.expectEqualStates(cluster.nodes, points: 30)
        let names = Set(try await ClusterTests.streams(of: cluster.nodes[0]))
        #expect(names.count == ClusterTests.cars)
        for node in cluster.nodes {
            #expect(Set(try await ClusterTests.streams(of: node)) == names)
            let recent = try await node.json("/api/recent/500")["recent"]?.array ?? []
            #expect(recent.count == 30 * ClusterTests.cars)
            for name in names {
                let state = try await node.json("/v1/streams/\(name)")
                #expect(state["position"]?["seq"]?.int == 30)
                #expect("chassis/\(state["latest"]?["chassis"]?.string ?? "")" == name)
                let records = try await node.json("/v1/streams/\(name)/records?from_seq=11&limit=20")
                #expect(records["records"]?.array?.map { $0["seq"]?.int } == Array(11...30))
            }
        }
        try await eventually("the feed has all points of all cars") {
            var counts: [String: Int] = [:]
            for point in feed.messages(of: "telemetry_update").flatMap({ $0["data"]?.array ?? [] }) {
                counts["chassis/\(point["chassis"]?.string ?? "")", default: 0] += 1
            }
            return Set(counts.keys) == names && counts.values.allSatisfy { $0 == 30 }
        }
    }

    private static func streams(of node: NodeProcess) async throws -> [String] {
        try await node.json("/v1/streams")["streams"]?.array?.compactMap { $0["stream"]?.string } ?? []
    }

    @Test func `a node that was started again knows the latest point though nothing came since`() async throws {
        let cluster = try await ClusterTests.startCluster(nodes: 2)
        try await ClusterTests.publish(30, to: cluster.nodes)
        try await ClusterTests.expectEqualStates(cluster.nodes, points: 30)
        for node in cluster.nodes { node.kill9() }
        for node in cluster.nodes { try await node.start() }
        let name = try #require(try await ClusterTests.streams(of: cluster.nodes[1]).first)
        let state = try await cluster.nodes[1].json("/v1/streams/\(name)")
        #expect(state["position"]?["seq"]?.int == 30)
        #expect("chassis/\(state["latest"]?["chassis"]?.string ?? "")" == name)
    }
}
