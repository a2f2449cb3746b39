import Client
import Foundation
import JSON
import Kafka
import Testing

/// What a publisher with a name has sent through three nodes is in every stream once and in order, whatever happens to
/// nodes and brokers on the way.
@Suite(.serialized) struct ExactlyOnceTests {
    private static let cars = 5
    private static let source = "pit-wall-7"

    /// One publish: a record of each car, and a second one of some. Each says the how many-th of its car it is.
    private struct Load {
        private(set) var counts = [Int](repeating: 0, count: cars)

        mutating func next(_ step: Int) -> String {
            let cars = Array(counts.indices) + [step % counts.count]
            let records = cars.map { car in
                counts[car] += 1
                let (lap, place) = (1 + counts[car] / 400, counts[car] % 400)
                let time = String(format: "2025-09-06T18:%02d:%02d.%03dZ", step / 600, step / 10 % 60, step % 10 * 100)
                return """
                    {"meta_time":"\(time)","track":"barber","chassis":"GR86-\(car)","lap":\(lap),"lapdist_m":\(place),\
                    "speed_kmh":150,"accx_can":0.1,"accy_can":0.2,"Steering_Angle":3,"pbrake_f":0,"rpm":6000,\
                    "n":\(counts[car])}
                    """
            }
            return "[\(records.joined(separator: ","))]"
        }
    }

    /// Where the publisher is connected, as its client tells.
    private actor Whereabouts {
        private var url: String?
        private(set) var visits = 0

        func note(_ event: ConnectionEvent) {
            if case .connected(let url) = event.change { (self.url, visits) = (url, visits + 1) }
        }

        /// Which of these nodes it is.
        func index(among addresses: [String]) -> Int? {
            addresses.firstIndex { url == "ws://\($0)" || url == "ws://\($0)/v1/stream" }
        }
    }

    /// Publishes so many times through all nodes, in turns that wait for what was sent, so that faults fall between.
    /// - Returns: how many records of each car there are.
    private func publish(
        _ steps: Int, to cluster: TestCluster, _ place: Whereabouts,
        between: (Int) async throws -> Void
    ) async throws -> [Int] {
        let client = try SlipstreamClient(urls: cluster.nodes.map { "ws://\($0.address)" })
        let events = client.status
        let watch = Task { for await event in events { await place.note(event) } }
        let publisher = client.publisher(source: Self.source)
        var load = Load()
        for step in 0..<steps {
            try await publisher.publish(json: load.next(step))
            if step % 50 == 49 { try await publisher.flush() }
            try await between(step)
        }
        try await publisher.flush()
        #expect(publisher.acknowledgedThrough == UInt64(steps))
        await client.close()
        await watch.value
        return load.counts
    }

    /// A reader that began before it all and one that comes after are given each record once and in order, and every
    /// replica has made as many points.
    private func expectEachOnce(_ counts: [Int], _ cluster: TestCluster, _ nodes: [NodeProcess]) async throws {
        try await cluster.settle(nodes)
        for node in nodes {
            for (car, count) in counts.enumerated() {
                let stream = "chassis/GR86-\(car)"
                try await eventually(within: 30, "\(stream) has \(count) points at \(node.address)") {
                    try await node.json("/v1/streams/\(stream)")["position"]?["seq"]?.int ?? 0 >= count
                }
            }
        }
        for node in nodes { #expect(try await seen(by: node, counts) == counts.map { Array(1...$0) }) }
        let pages = try await nodes.mapAsync { try await $0.json("/v1/cluster") }
        let copies = pages.flatMap { $0["shards"]?.array ?? [] }.flatMap { $0["streams"]?.array ?? [] }
        #expect(copies.count == 2 * counts.count)
        for copy in copies {
            let car = counts.indices.first { copy["stream"]?.string == "chassis/GR86-\($0)" }
            #expect(copy["seq"]?.int == car.map { counts[$0] }, "\(copy["stream"]?.string ?? "")")
        }
    }

    /// By car: the numbers that the records say, as a client gets them from the beginning of the log.
    private func seen(by node: NodeProcess, _ counts: [Int]) async throws -> [[Int]] {
        let client = try SlipstreamClient("ws://\(node.address)")
        var numbers = counts.map { _ in [Int]() }
        for try await update in client.updates(of: "chassis/*", include: .telemetry, from: .earliest) {
            guard case .telemetry(let telemetry) = update else { continue }
            let car = counts.indices.first { update.stream == "chassis/GR86-\($0)" }
            if let car { numbers[car] += telemetry.points.compactMap { $0["n"].map { Int($0) } } }
            if zip(numbers, counts).allSatisfy({ $0.count >= $1 }) { break }
        }
        await client.close()
        return numbers
    }

    @Test func `each record counts once though the node that took it is killed`() async throws {
        let cluster = try TestCluster()
        for _ in 0..<3 { try await cluster.add() }
        try await cluster.settle()
        let place = Whereabouts()
        let counts = try await publish(600, to: cluster, place) { step in
            // Not right after a flush: what is on its way is what a death puts in doubt.
            guard [130, 280, 430].contains(step) else { return }
            let node = cluster.nodes[try #require(await place.index(among: cluster.nodes.map(\.address)))]
            let visits = await place.visits
            node.kill9()
            try await eventually("the publisher is elsewhere") { await place.visits > visits }
            try await node.start()
            try await cluster.settle()
        }
        #expect(await place.visits >= 4)
        try await expectEachOnce(counts, cluster, cluster.nodes)
    }

    @Test func `each record counts once though brokers refuse, forget to answer and go`() async throws {
        let cluster = try TestCluster(brokers: 2)
        for _ in 0..<3 { try await cluster.add() }
        try await cluster.settle()
        let counts = try await publish(600, to: cluster, Whereabouts()) { step in
            switch step {
            case 70: try cluster.kafka.push([.notLeader, .requestTimedOut, .notEnoughReplicas], for: .produce)
            case 130: try cluster.kafka.push([.notEnoughReplicasAfterAppend, .transport, .transport], for: .produce)
            // What is published from here on is stored, and the broker is gone before it says so.
            case 210: try cluster.kafka.setDelay(ofBroker: nil, milliseconds: 200)
            case 230:
                try loseAnswers(of: cluster)
                try cluster.kafka.setDelay(ofBroker: nil, milliseconds: 0)
            case 330: try cluster.kafka.setBroker(1, isUp: false)
            case 340: try cluster.kafka.setBroker(1, isUp: true)
            default: break
            }
        }
        try await expectEachOnce(counts, cluster, cluster.nodes)
    }

    @Test func `each record counts once though the node is killed while brokers forget to answer`() async throws {
        let cluster = try TestCluster(brokers: 2)
        for _ in 0..<3 { try await cluster.add() }
        try await cluster.settle()
        let place = Whereabouts()
        let counts = try await publish(400, to: cluster, place) { step in
            switch step {
            case 120: try cluster.kafka.setDelay(ofBroker: nil, milliseconds: 200)
            case 140:
                // The log has records that neither node nor publisher knows of.
                cluster.nodes[try #require(await place.index(among: cluster.nodes.map(\.address)))].kill9()
                try loseAnswers(of: cluster)
                try cluster.kafka.setDelay(ofBroker: nil, milliseconds: 0)
            case 300: for node in cluster.nodes where !node.isRunning { try await node.start() }
            default: break
            }
        }
        try await expectEachOnce(counts, cluster, cluster.nodes)
    }

    @Test func `records keep their order though the log refuses some for good and takes those behind them`()
        async throws
    {
        let cluster = try TestCluster(brokers: 2)
        for _ in 0..<3 { try await cluster.add() }
        try await cluster.settle()
        let counts = try await publish(400, to: cluster, Whereabouts()) { step in
            guard step % 50 == 20, step < 350 else { return }
            try cluster.kafka.push([.topicAuthorizationFailed], for: .produce)
        }
        try await expectEachOnce(counts, cluster, cluster.nodes)
    }

    /// All brokers go and come back.
    private func loseAnswers(of cluster: TestCluster) throws {
        try cluster.kafka.setBroker(nil, isUp: false)
        try cluster.kafka.setBroker(nil, isUp: true)
    }
}

extension Array {
    fileprivate func mapAsync<Result>(_ body: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
