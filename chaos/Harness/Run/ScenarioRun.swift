import Client
import Foundation
import JSON
import LocalCluster
import Web

/// One scenario from its beginning to its result.
final class ScenarioRun {
    private let scenario: Scenario
    private let options: ChaosRun.Options
    private let cluster: ChaosCluster
    private let leftovers: Leftovers
    private let clock = ScenarioClock()
    private var result: ScenarioResult

    init(_ scenario: Scenario, _ options: ChaosRun.Options, directory: String, _ leftovers: Leftovers) throws {
        self.scenario = scenario
        self.options = options
        self.leftovers = leftovers
        result = ScenarioResult(scenario, seed: options.seed)
        cluster = try ChaosCluster(
            .init(
                program: options.program, directory: directory, nodes: scenario.nodes, spares: scenario.spares,
                replicas: scenario.replicas, partitions: scenario.partitions,
                snapshotMilliseconds: scenario.snapshotMilliseconds, hasUsers: scenario.needs.contains(.iptables),
                faketime: scenario.needs.contains(.faketime) ? Needs.faketime : nil, variant: options.variant),
            leftovers)
    }

    /// Never throws: what goes wrong is the result.
    func run() async -> ScenarioResult {
        let start = ContinuousClock.now
        do { try await play() } catch {
            result.reasons.append(Task.isCancelled ? "it was broken off" : "\(error)")
        }
        cluster.noteMemory()
        result.memoryPeakBytes = cluster.memoryPeak
        cluster.stop()
        result.seconds = (ContinuousClock.now - start) / .seconds(1)
        result.outcome = result.reasons.isEmpty ? .passed : .failed
        return result
    }

    private func play() async throws {
        if scenario.hasSmallDisk { try mountSmallDisk() }
        try await cluster.startKafka()
        let oracle = try Oracle(kafka: cluster.kafka, topic: ChaosCluster.topic, run: options.run)
        defer { oracle.stop() }
        for node in 1...scenario.nodes { try cluster.start(node) }
        try await cluster.awaitReady(1...scenario.nodes)
        let proxies =
            try scenario.isProxied ? cluster.all.map { try Proxy(to: cluster.host($0), port: cluster.port) } : []
        defer { proxies.forEach { $0.stop() } }
        let traffic = try Traffic(scenario, options, urls: urls(proxies), clock: clock)
        do {
            try await play(oracle, proxies, traffic)
            await traffic.close()
        } catch {
            await traffic.close()
            throw error
        }
    }

    private func play(_ oracle: Oracle, _ proxies: [Proxy], _ traffic: Traffic) async throws {
        let firewall = try makeFirewall()
        try await traffic.begin()
        clock.begin()
        let canary = Canary()
        let watch = Task { try await canary.run() }
        defer { watch.cancel() }
        let faults = Faults(cluster, oracle, proxies: proxies, firewall: firewall, seed: options.seed)
        var late = 0.0
        for step in scenario.steps {
            try await sleep(until: step.at + late)
            result.moments.append(.init(at: clock.seconds, what: "\(step.fault)", isRelief: step.fault.isRelief))
            options.tell("\(scenario.name)  \(step.fault)")
            try await faults.carryOut(step.fault)
            if step.fault == .settle { late = max(late, clock.seconds - step.at) }
        }
        try await sleep(until: scenario.length + late)
        result.stall = canary.stall
        try await judge(oracle, traffic)
    }

    /// Looks after the cluster meanwhile.
    private func sleep(until due: Double) async throws {
        while clock.seconds < due {
            cluster.noteMemory()
            for process in cluster.endedUnasked {
                throw ChaosError("\(process.name) ended by itself with \(process.status): \(process.tail(3))")
            }
            try await Task.sleep(for: .seconds(min(0.25, max(0.001, due - clock.seconds))))
        }
    }

    // MARK: The end

    private func judge(_ oracle: Oracle, _ traffic: Traffic) async throws {
        let end = clock.seconds
        try await traffic.stopPublishing()
        traffic.watchers.forEach { $0.hurry() }
        let published = traffic.published
        (result.published, result.acknowledged) = (published.sent, published.acknowledged)
        let truth = try await oracle.truth(within: .seconds(30))
        result.points = truth.points
        // Who does not get there has lost something: the checker says what.
        try? await eventually(within: .seconds(30), "clients have all") {
            traffic.watchers.allSatisfy { $0.has(truth) }
        }
        var checker = Checker()
        checker.check(published, against: truth)
        for watcher in traffic.watchers {
            if let failure = watcher.failure { result.reasons.append("\(watcher.name) was given up: \(failure)") }
            checker.check(client: watcher.name, watcher.history, against: truth, all: watcher.takesAll)
        }
        result.take(checker.findings)
        result.take(gapsOf: traffic.watchers, until: end)
        if result.gapMax > scenario.gapMax {
            result.reasons.append("a client heard nothing of a stream for \(result.gapMax) s")
        }
        try await compareHashes(truth)
    }

    /// All replicas of all shards must get to the hash of the log's fold.
    private func compareHashes(_ truth: Truth) async throws {
        let replicas = min(scenario.replicas, cluster.wanted.count)
        result.hashesExpected = truth.shards.count * replicas
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let check = HashCheck(try await hostedMarks(), against: truth.shards, replicas: replicas)
            result.hashesEqual = check.equal
            if check.isAgreed { return }
            if check.behind == 0 || ContinuousClock.now > deadline {
                result.reasons += check.problems.prefix(6)
                return
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func hostedMarks() async throws -> [HostedMark] {
        var marks: [HostedMark] = []
        for node in cluster.wanted {
            guard let response = try? await cluster.get(node, "/v1/cluster"), response.status == 200 else { continue }
            for shard in try JSONValue.parse(response.body)["shards"]?.array ?? [] {
                guard let partition = shard["shard"]?.int, let offset = shard["offset"]?.int,
                    let hash = shard["state_hash"]?.string
                else { continue }
                marks.append(
                    HostedMark(node: "n\(node)", partition: partition, mark: .init(offset: Int64(offset), hash: hash)))
            }
        }
        return marks
    }

    // MARK: What is made for it

    private func urls(_ proxies: [Proxy]) -> [String] {
        proxies.isEmpty
            ? cluster.all.map { "ws://\(cluster.authority($0))" } : proxies.map { "ws://127.0.0.1:\($0.port)" }
    }

    private func makeFirewall() throws -> Firewall? {
        guard scenario.needs.contains(.iptables) else { return nil }
        let chain = "SLIPCHAOS-\(getpid())"
        try leftovers.change { $0.chain = chain }
        return try Firewall(chain)
    }

    private func mountSmallDisk() throws {
        let directory = cluster.data(1)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try leftovers.change { $0.mounts.append(directory) }
        guard mount("tmpfs", directory, "tmpfs", 0, "size=8m") == 0 else {
            throw ChaosError("no tmpfs at \(directory): \(String(cString: strerror(errno)))")
        }
    }
}
