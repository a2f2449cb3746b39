import Client
import Foundation
import JSON
import Testing

/// A client that was given one address of three, through real processes.
@Suite(.serialized) struct ShardMapTests {
    private static let stream = "chassis/GR86-7"

    /// Publishes for as long as the test runs, through a node that stays.
    private static func publish(through node: NodeProcess) throws -> Task<Void, any Error> {
        let client = try SlipstreamClient("ws://\(node.address)")
        let publisher = client.publisher()
        return Task {
            var number = 0
            while !Task.isCancelled {
                number += 1
                let (minute, second) = (number / 600 % 60, number / 10 % 60)
                let time = String(format: "2025-09-06T18:%02d:%02d.%03dZ", minute, second, number % 10 * 100)
                try await publisher.publish(
                    json: """
                        {"meta_time":"\(time)","track":"barber","chassis":"GR86-7","lap":1,"lapdist_m":\(number),\
                        "speed_kmh":150,"accx_can":0.1,"accy_can":0.2,"Steering_Angle":3,"pbrake_f":0,"rpm":6000}
                        """)
                try await Task.sleep(for: .milliseconds(20))
            }
            await client.close()
        }
    }

    /// What a client of one stream was given, and where it was.
    private actor Diary {
        private(set) var seqs: [UInt64] = []
        private(set) var url: String?
        private(set) var resyncs = 0

        func note(_ update: Update) {
            switch update {
            case .telemetry(let telemetry): seqs += telemetry.points.map(\.seq)
            case .resync: resyncs += 1
            case .insight, .alerts: break
            }
        }

        func note(_ event: ConnectionEvent) {
            if case .connected(let url) = event.change { self.url = url }
        }

        func isAt(_ addresses: [String]) -> Bool {
            addresses.contains { url == "ws://\($0)" || url == "ws://\($0)/v1/stream" }
        }
    }

    /// Whether a node has the only shard there is.
    private func hosts(_ node: NodeProcess) async throws -> Bool {
        let page = try await node.json("/v1/cluster?streams=off")
        return page["shards"]?.array?.first?["live"]?.array?.contains { $0.string == page["node"]?.string } == true
    }

    @Test func `it goes to a node that has its stream, and finds the others when that one and the first are dead`()
        async throws
    {
        let cluster = try TestCluster(partitions: 1)
        for _ in 0..<3 { try await cluster.add() }
        try await cluster.settle()
        var (replicas, others): ([NodeProcess], [NodeProcess]) = ([], [])
        for node in cluster.nodes { try await hosts(node) ? replicas.append(node) : others.append(node) }
        let first = try #require(others.first)
        try #require(replicas.count == 2)
        let load = try Self.publish(through: replicas[0])
        defer { load.cancel() }

        let client = try SlipstreamClient("ws://\(first.address)")
        let diary = Diary()
        let events = client.status
        let watch = Task { for await event in events { await diary.note(event) } }
        let updates = client.updates(of: Self.stream, include: .telemetry, from: .earliest)
        let reading = Task { for try await update in updates { await diary.note(update) } }

        try await eventually("it is at a replica") { await diary.isAt(replicas.map(\.address)) }
        first.kill9()
        let isAtFirst = await diary.isAt([replicas[0].address])
        let (here, other) = isAtFirst ? (replicas[0], replicas[1]) : (replicas[1], replicas[0])
        try await eventually("it has some more") { await diary.seqs.count > 50 }
        here.kill9()
        try await eventually(within: 20, "it is at the other replica") { await diary.isAt([other.address]) }
        // The publisher, too, was given one address, and finds this one if that was the one that died.
        let before = await diary.seqs.count
        try await eventually(within: 20, "it has some more") { await diary.seqs.count > before + 20 }
        await client.close()
        _ = await reading.result
        await watch.value
        let seqs = await diary.seqs
        #expect(seqs == Array(1...UInt64(seqs.count)))
        #expect(await diary.resyncs == 0)
    }
}
