import Foundation

/// Publishes to a cluster that is there already, follows its own streams through the SDK, and says whether anything was
/// lost, repeated or out of order. What happens to the cluster meanwhile is somebody else's business.
package struct LiveCheck: Sendable {
    package struct Options: Sendable {
        /// `host:port` of some nodes.
        package var nodes: [String]
        /// s
        package var duration: Double
        /// Records per second.
        package var rate = 200
        package var tell: @Sendable (String) -> Void = { _ in }

        package init(nodes: [String], duration: Double) {
            self.nodes = nodes
            self.duration = duration
        }
    }

    private let options: Options
    private let scenario: Scenario

    package init(_ options: Options) {
        self.options = options
        scenario = Scenario("check", "a cluster that is there already", []).with {
            $0.rate = options.rate
            $0.cars = 8
            $0.clients = 2
        }
    }

    /// - Throws: when there is no cluster to speak of.
    package func run() async throws -> ScenarioResult {
        var own = ChaosRun.Options(program: "", directory: "")
        own.run = UInt32.random(in: 1...UInt32.max / 2)
        own.seed = UInt64(own.run)
        own.isLive = true
        let clock = ScenarioClock()
        let traffic = try Traffic(scenario, own, urls: options.nodes.map { "ws://\($0)" }, clock: clock)
        do {
            try await traffic.begin()
            clock.begin()
            while clock.seconds < options.duration, !Task.isCancelled {
                try await Task.sleep(for: .seconds(min(10, max(0.01, options.duration - clock.seconds))))
                options.tell("\(Int(clock.seconds)) s: \(traffic.published.acknowledged) records acknowledged")
            }
            let result = try await judge(traffic, until: clock.seconds)
            await traffic.close()
            return result
        } catch {
            await traffic.close()
            throw error
        }
    }

    private func judge(_ traffic: Traffic, until end: Double) async throws -> ScenarioResult {
        var result = ScenarioResult(scenario, seed: 0)
        result.seconds = end
        try await traffic.stopPublishing()
        let published = traffic.published
        (result.published, result.acknowledged) = (published.sent, published.acknowledged)
        // Who does not get there has lost something: the checker says what.
        try? await eventually(within: .seconds(30), "clients have all") {
            traffic.watchers.allSatisfy { $0.hasNumbers(of: published) }
        }
        var checker = Checker()
        for watcher in traffic.watchers {
            if let failure = watcher.failure { result.reasons.append("\(watcher.name) was given up: \(failure)") }
            checker.check(client: watcher.name, watcher.history, of: published)
        }
        result.points = traffic.watchers.first?.history.values.reduce(0) { $0 + $1.numbers.count } ?? 0
        result.take(checker.findings)
        result.take(gapsOf: traffic.watchers, until: end)
        result.outcome = result.reasons.isEmpty ? .passed : .failed
        return result
    }
}
