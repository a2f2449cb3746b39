import Foundation
import JSON
import LocalCluster
import Threads
import Web

/// kafka-sim and the nodes of one scenario, as processes, each node on its own loopback address.
final class ChaosCluster: Sendable {
    struct Options: Sendable {
        /// The `slipstream` program.
        let program: String
        let directory: String
        let nodes: Int
        let spares: Int
        let replicas: Int
        let partitions: Int
        let snapshotMilliseconds: Int
        /// Each node under a user id of its own.
        let hasUsers: Bool
        /// A library that lies about the time.
        let faketime: String?
        /// What nodes do wrong on purpose.
        let variant: String?
    }

    private struct State {
        var processes: [String: ChildProcess] = [:]
        /// Nodes that should run.
        var wanted: Set<Int> = []
        var memoryPeak = 0
        var kafka = ""
        var control = ""
    }

    static let topic = "telemetry.chassis"
    static let brokers = 3
    private static let port = 8_081
    private static let gossipPort = 7_946

    let options: Options
    let web: WebClient
    private let leftovers: Leftovers
    private let state = Monitor(State())
    /// 127.x.y.N is node N: other runs on this machine have other addresses.
    private let network: String

    init(_ options: Options, _ leftovers: Leftovers) throws {
        self.options = options
        self.leftovers = leftovers
        web = try WebClient()
        let id = getpid()
        network = "127.\(64 + Int(id) / 250 % 128).\(1 + Int(id) % 250)"
    }

    var kafka: String { state.withLock { $0.kafka } }
    var kafkaPorts: [Int] {
        kafka.split(separator: ",").compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }
    }
    var control: String { state.withLock { $0.control } }
    var memoryPeak: Int { state.withLock { $0.memoryPeak } }
    var all: ClosedRange<Int> { 1...options.nodes + options.spares }
    /// Nodes that should run at this moment.
    var wanted: [Int] { state.withLock { $0.wanted.sorted() } }

    func host(_ node: Int) -> String { "\(network).\(node)" }
    func authority(_ node: Int) -> String { "\(host(node)):\(ChaosCluster.port)" }
    func data(_ node: Int) -> String { "\(options.directory)/n\(node)" }
    func user(_ node: Int) -> Int { 61_000 + node }
    func process(_ node: Int) -> ChildProcess? { state.withLock { $0.processes["n\(node)"] } }
    var port: Int { ChaosCluster.port }

    // MARK: Starting

    func startKafka() async throws {
        let file = "\(options.directory)/kafka-sim.json"
        let process = try launch(
            "kafka-sim", options.program,
            [
                "kafka-sim", "--brokers", "\(ChaosCluster.brokers)", "--topic",
                "\(ChaosCluster.topic):\(options.partitions)", "--topic", "\(ChaosCluster.topic).dlq:1", "--port-file",
                file,
            ])
        try await eventually(within: .seconds(10), "kafka-sim is there: \(process.logPath)") {
            guard let data = FileManager.default.contents(atPath: file), let sim = try? JSONValue.parse(data),
                let brokers = sim["brokers"]?.string, let control = sim["control"]?.string
            else { return false }
            self.state.withLock { ($0.kafka, $0.control) = (brokers, control) }
            return true
        }
    }

    /// Does nothing when it runs already.
    func start(_ node: Int) throws {
        if let process = process(node), process.isRunning { return }
        state.withLock { _ = $0.wanted.insert(node) }
        let gossip = all.map { "\(host($0)):\(ChaosCluster.gossipPort)" }.joined(separator: ",")
        var words = [
            options.program, "node", "--node-id", "n\(node)", "--host", host(node), "--port", "\(ChaosCluster.port)",
            "--udp", "off", "--gossip-port", "\(ChaosCluster.gossipPort)", "--join", gossip, "--kafka", kafka,
            "--replicas", "\(options.replicas)", "--data-dir", data(node), "--snapshot-interval-ms",
            "\(options.snapshotMilliseconds)", "--cluster", "chaos-\(getpid())",
        ]
        try FileManager.default.createDirectory(atPath: data(node), withIntermediateDirectories: true)
        if options.hasUsers {
            let user = user(node)
            try Tool.run("/usr/bin/chown", ["-R", "\(user):\(user)", data(node)])
            words = ["/usr/bin/setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups"] + words
        }
        try launch("n\(node)", words[0], Array(words.dropFirst()), environment: environment(node))
    }

    private func environment(_ node: Int) -> [String: String] {
        let variant = options.variant.map { ["SLIPSTREAM_FAULT_VARIANT": $0] } ?? [:]
        guard let library = options.faketime else { return variant }
        // Time without jumps stays the kernel's, as on a machine whose wall clock is set.
        return variant.merging([
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": clockFile(node), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1",
        ]) { _, new in new }
    }

    func clockFile(_ node: Int) -> String { "\(options.directory)/clock-n\(node)" }

    @discardableResult
    private func launch(
        _ name: String, _ program: String, _ words: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let process = try ChildProcess(
            name, program, words, environment: environment, log: "\(options.directory)/\(name).log")
        state.withLock { $0.processes[name] = process }
        if let mark = LeftoverList.ProcessMark(process.id) { try leftovers.change { $0.processes.append(mark) } }
        return process
    }

    func awaitReady(_ nodes: some Sequence<Int>, within limit: Duration = .seconds(30)) async throws {
        for node in nodes {
            try await eventually(within: limit, "n\(node) is ready") {
                if let process = self.process(node), !process.isRunning {
                    throw ChaosError("n\(node) ended by itself: \(process.tail(3))")
                }
                return await self.isReady(node)
            }
        }
    }

    func isReady(_ node: Int) async -> Bool { (try? await get(node, "/readyz"))?.status == 200 }

    func get(_ node: Int, _ path: String) async throws -> HTTPResponse {
        try await web.request("GET", "http://\(authority(node))\(path)", timeout: .seconds(2))
    }

    func post(control path: String) async throws {
        let response = try await web.request("POST", control + path, timeout: .seconds(5))
        guard response.status == 200 else {
            throw ChaosError("kafka-sim answers \(response.status): \(String(decoding: response.body, as: UTF8.self))")
        }
    }

    // MARK: Ending

    /// The process is meant to end, however that comes about.
    func willEnd(_ node: Int) {
        noteMemory()
        state.withLock { _ = $0.wanted.remove(node) }
    }

    /// Nodes that ended though nobody wanted that.
    var endedUnasked: [ChildProcess] {
        state.withLock { state in
            state.wanted.sorted().compactMap { state.processes["n\($0)"] }.filter { !$0.isRunning }
        }
    }

    /// To be called now and then: who has ended has no memory any more.
    func noteMemory() {
        let nodes = state.withLock { $0.processes.filter { $0.key != "kafka-sim" }.map(\.value) }
        let peak = nodes.filter(\.isRunning).compactMap(\.memoryPeak).max() ?? 0
        state.withLock { $0.memoryPeak = max($0.memoryPeak, peak) }
    }

    func stop() {
        let processes = state.withLock { state in
            state.wanted.removeAll()
            return Array(state.processes.values)
        }
        processes.forEach { $0.end() }
        web.shutdown()
    }
}

/// Asks again and again until the condition holds.
/// - Throws: `ChaosError` naming what did not come true, after `limit`.
func eventually(
    within limit: Duration, _ what: String, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw ChaosError("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
