import Client
import Foundation
import JSON
import Simulation
import Telemetry
import Testing

/// The whole way, through real processes: SDK → node → SDK, while the node dies.
@Suite(.serialized) struct FailoverTests {
    private static func steps(_ count: Int) -> [[UInt8]] {
        var race = RaceSimulation(
            seed: 7, cars: 3, track: TrackTable.builtIn["barber"] ?? TrackTable.fallback, hertz: 10)
        return (0..<count).map { _ in
            var json = JSONWriter()
            race.step { _, record in
                json.raw(json.isEmpty ? "[" : ",")
                json.raw(record)
            }
            json.raw("]")
            return json.bytes
        }
    }

    /// Publishes steps and calls `between` after each.
    private static func publish(
        _ steps: [[UInt8]], to node: NodeProcess, source: String, between: (Int) async throws -> Void = { _ in }
    ) async throws {
        let client = try SlipstreamClient("ws://\(node.address)")
        let publisher = client.publisher(source: source)
        for (index, step) in steps.enumerated() {
            try await publisher.publish(json: step)
            try await between(index)
        }
        try await publisher.flush()
        await client.close()
    }

    @Test func `clients see every point once, and state is as if nothing had happened, when the node is killed`()
        async throws
    {
        let steps = FailoverTests.steps(3_000)
        let calm = try NodeProcess(["--udp", "off"])
        try await calm.start()
        try await FailoverTests.publish(steps, to: calm, source: "calm")

        let node = try NodeProcess(["--udp", "off", "--snapshot-interval-ms", "300"])
        try await node.start()
        let client = try SlipstreamClient("ws://\(node.address)")
        let updates = client.updates(of: "chassis/*", from: .earliest)
        let reader = Task {
            var seen: [String: [UInt64]] = [:]
            var insights: [String: [UInt64]] = [:]
            for try await update in updates {
                switch update {
                case .telemetry(let points): seen[update.stream, default: []] += points.points.map(\.seq)
                case .insight(let insight): insights[update.stream, default: []].append(insight.seq)
                case .alerts: break
                case .resync: Issue.record("a resync was not to be")
                }
                if seen.count == 3, seen.values.allSatisfy({ $0.count >= 3_000 }) { break }
            }
            return (seen, insights)
        }
        try await FailoverTests.publish(steps, to: node, source: "wild") { index in
            guard [700, 1_400, 2_600].contains(index) else { return }
            node.kill9()
            try await node.start()
        }
        let (seen, insights) = try await reader.value
        await client.close()
        for (_, numbers) in seen { #expect(numbers == Array(1...3_000)) }
        for (_, numbers) in insights { #expect(numbers == numbers.sorted() && Set(numbers).count == numbers.count) }
        #expect(try await node.stateHash(at: 9_000) == calm.stateHash(at: 9_000))
    }

    @Test func `a node that is told to stop stores a snapshot and is there again at once`() async throws {
        let node = try NodeProcess(["--udp", "off"])
        try await node.start()
        try await FailoverTests.publish(FailoverTests.steps(200), to: node, source: "s")
        let before = try await node.stateHash(at: 600)
        #expect(node.terminate() == 0)
        try await node.start()
        #expect(try await node.stateHash(at: 600) == before)
        #expect(try node.log(2).contains("caught up records=0"))
    }

    @Test func `a client of a log that is no more is told so, with the state there is`() async throws {
        let node = try NodeProcess(["--udp", "off"])
        try await node.start()
        try await FailoverTests.publish(FailoverTests.steps(20), to: node, source: "s")
        let client = try SlipstreamClient("ws://\(node.address)")
        let updates = client.updates(of: "chassis/*", include: .telemetry, from: .earliest)
        var iterator = updates.makeAsyncIterator()
        _ = try await iterator.next()
        node.kill9()
        try FileManager.default.removeItem(at: node.directory.appendingPathComponent("data"))
        try await node.start()
        try await FailoverTests.publish(FailoverTests.steps(40), to: node, source: "t")
        var reasons: Set<String> = []
        while reasons.isEmpty, let update = try await iterator.next() {
            if case .resync(let resync) = update { reasons.insert(resync.reason) }
        }
        await client.close()
        #expect(reasons == ["lineage_changed"])
    }
}
