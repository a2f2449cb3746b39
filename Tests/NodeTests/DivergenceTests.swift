import Client
import Foundation
import JSON
import Simulation
import Telemetry
import Testing
import Web

/// A replica whose state goes wrong is found by its hash and made anew.
@Suite(.serialized) struct DivergenceTests {
    private static let race = RaceSimulation(
        seed: 3, cars: 1, track: TrackTable.builtIn["barber"] ?? TrackTable.fallback, hertz: 10)

    @Test func `a replica that is corrupted is named with shard and offset, outvoted and repaired`()
        async throws
    {
        var race = DivergenceTests.race
        let cluster = try TestCluster(partitions: 1, replicas: 3)
        try await cluster.add()
        try await cluster.add()
        let wrong = try await cluster.add(environment: ["SLIPSTREAM_FAULT_CORRUPT_SHARD": "0@12000"])
        try await cluster.settle(replicas: 3)
        try await publish(15_000, of: &race, to: cluster.nodes[0], source: "a")
        try await agree(cluster, at: 10_000)
        // The next mark shows it.
        try await publish(16_000, of: &race, to: cluster.nodes[0], source: "b")
        try await eventually(within: 30, "the wrong replica is made anew") {
            try wrong.log(1).contains("shard made anew")
        }
        // It was found by the wrong one at the latest, and may be right again before others hear of what it had.
        #expect(try wrong.log(1).contains("replicas have diverged partition=0 offset=20000 hash=\""))
        for node in cluster.nodes where try node.log(1).contains("replicas have diverged") {
            let metrics = String(decoding: try await node.get("/metrics").body, as: UTF8.self)
            let alarm =
                metrics.split(separator: "\n").first { $0.hasPrefix("slipstream_state_divergence_offset{") } ?? ""
            // Whom else it names depends on who came there first.
            #expect(alarm.hasSuffix(#"n3"} 20000"#), "\(alarm)")
            #expect(metrics.contains("slipstream_state_divergences_total 1"))
        }
        #expect(try wrong.log(1).contains("a replica is outvoted and made anew"))
        try await publish(12_000, of: &race, to: cluster.nodes[0], source: "c")
        try await agree(cluster, at: 40_000)
        var hashes: Set<String> = []
        for node in cluster.nodes { hashes.insert(try await node.stateHash(at: 43_000)) }
        #expect(hashes.count == 1)
    }

    @Test func `of two replicas that differ the one that does not lead is made anew, and it is said why`() async throws
    {
        var race = DivergenceTests.race
        let cluster = try TestCluster(partitions: 1, replicas: 2)
        try await cluster.add()
        try await cluster.add(environment: ["SLIPSTREAM_FAULT_CORRUPT_SHARD": "0@2000"])
        try await cluster.settle()
        try await publish(11_000, of: &race, to: cluster.nodes[0], source: "a")
        let page = try await cluster.nodes[0].json("/v1/cluster?streams=off")
        let leader = try #require(page["shards"]?[0]?["leader"]?.string)
        let other = try #require(cluster.nodes.first { leader != ($0 === cluster.nodes[0] ? "n1" : "n2") })
        try await eventually(within: 30, "the other is made anew") { try other.log(1).contains("shard made anew") }
        #expect(try other.log(1).contains("no majority says which replica is right"))
        var hashes: Set<String> = []
        try await cluster.settle()
        for node in cluster.nodes { hashes.insert(try await node.stateHash(at: 11_000)) }
        #expect(hashes.count == 1)
    }

    private func publish(
        _ count: Int, of race: inout RaceSimulation, to node: NodeProcess, source: String
    ) async throws {
        let client = try SlipstreamClient("ws://\(node.address)")
        let publisher = client.publisher(source: source)
        for _ in 0..<count {
            var json = JSONWriter()
            race.step { _, record in
                json.raw("[")
                json.raw(record)
                json.raw("]")
            }
            try await publisher.publish(json: json.bytes)
        }
        try await publisher.flush()
        await client.close()
    }

    /// All replicas have hashed the state at this offset, to the same.
    private func agree(_ cluster: TestCluster, at offset: Int) async throws {
        try await eventually(within: 30, "all have the same state at \(offset)") {
            let page = try await cluster.nodes[0].json("/v1/cluster?streams=off")
            let hashes = page["shards"]?[0]?["replicas"]?.array?.map { $0["hash"] ?? .null } ?? []
            return !hashes.isEmpty && hashes.allSatisfy { $0["offset"]?.int == offset }
                && Set(hashes.map { $0["state_hash"]?.string }).count == 1
        }
    }
}
