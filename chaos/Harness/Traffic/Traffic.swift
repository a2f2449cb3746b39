import Client
import Synchronization

/// The publishers and clients of a scenario.
final class Traffic: Sendable {
    let publishers: [Publisher]
    let watchers: [Watcher]
    private let clients: [SlipstreamClient]
    private let tasks: [Task<Void, any Error>]
    private let scenario: Scenario
    private let running = Mutex<[Task<Void, any Error>]>([])

    private static let publisherCount = 4

    init(_ scenario: Scenario, _ options: ChaosRun.Options, urls: [String], clock: ScenarioClock) throws {
        self.scenario = scenario
        let rate = Double(options.rate ?? scenario.rate)
        let publisherCount = min(Traffic.publisherCount, scenario.cars)
        let watcherCount = scenario.clients + scenario.slowClients
        // Everybody begins at another node.
        let clients = try (0..<publisherCount + watcherCount).map { index in
            let turn = index % urls.count
            return try SlipstreamClient(urls: Array(urls[turn...] + urls[..<turn]))
        }
        self.clients = clients
        publishers = Traffic.publishers(
            publisherCount, clients, seed: options.seed, cars: scenario.cars, rate: rate, run: options.run)
        let streams = options.isLive ? publishers.flatMap(\.streams) : ["chassis/*"]
        watchers = (0..<watcherCount).map { index in
            let isSlow = index >= scenario.clients
            return Watcher(
                clients[publisherCount + index], name: isSlow ? "slow client \(index + 1)" : "client \(index + 1)",
                takesAll: index == 0, streams: streams, run: options.run, pause: isSlow ? .milliseconds(8) : nil,
                clock: clock)
        }
        tasks = watchers.flatMap { watcher in
            [Task<Void, any Error> { await watcher.run() }, Task<Void, any Error> { await watcher.watchStatus() }]
        }
    }

    /// Each with cars of its own: a seed whose cars somebody else has is passed over.
    private static func publishers(
        _ count: Int, _ clients: [SlipstreamClient], seed: UInt64, cars: Int, rate: Double, run: UInt32
    ) -> [Publisher] {
        var publishers: [Publisher] = []
        var taken: Set<String> = []
        var next = seed &* 1_000
        while publishers.count < count {
            next &+= 1
            let index = publishers.count
            let own = cars / count + (index < cars % count ? 1 : 0)
            let publisher = Publisher(
                clients[index], name: "\(index + 1)", seed: next, cars: own,
                rate: rate * Double(own) / Double(cars), run: run)
            guard taken.isDisjoint(with: publisher.streams) else {
                publisher.close()
                continue
            }
            taken.formUnion(publisher.streams)
            publishers.append(publisher)
        }
        return publishers
    }

    /// Returns when every client sees every stream.
    func begin() async throws {
        for publisher in publishers { running.withLock { $0.append(Task { try await publisher.run() }) } }
        try await eventually(within: .seconds(20), "all clients see all streams") {
            for watcher in watchers { if let failure = watcher.failure { throw ChaosError(failure) } }
            return watchers.allSatisfy { $0.streamCount >= scenario.cars }
        }
    }

    /// Returns when everything is acknowledged.
    func stopPublishing() async throws {
        publishers.forEach { $0.stop() }
        let running = running.withLock { $0 }
        let flushed = Task { [publishers] in
            for task in running { try await task.value }
            for publisher in publishers { try await publisher.flush() }
        }
        let limit = Task {
            try await Task.sleep(for: .seconds(40))
            flushed.cancel()
        }
        defer { limit.cancel() }
        do { try await flushed.value } catch { throw ChaosError("not all is acknowledged after 40 s: \(error)") }
    }

    var published: Published {
        var published = Published()
        for publisher in publishers {
            for stream in publisher.streams { published.streams[stream] = publisher.count }
        }
        return published
    }

    func close() async {
        publishers.forEach { $0.stop() }
        tasks.forEach { $0.cancel() }
        for client in clients { await client.close() }
    }
}
