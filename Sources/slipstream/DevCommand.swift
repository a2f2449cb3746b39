import Client
import Commands
import Foundation
import JSON
import Telemetry
import Threads

enum DevCommand: Command {
    static let name = "dev"
    static let summary = "a cluster on this machine: simulated Kafka, several nodes, a race"
    static let help = """
        usage: slipstream dev [--nodes 3] [OPTIONS]

        Starts kafka-sim, nodes as processes of their own, and a simulated race that is published through the SDK. Prints
        their addresses and process ids, and a line per event. A node that dies is started again. Ctrl-C ends all.

          --nodes N             how many (default 3)
          --replicas N          nodes that fold each shard (default 2)
          --partitions N        of the topic (default 12)
          --brokers N           of kafka-sim (default 3)
          --kafka HOST:PORT     use this Kafka instead of kafka-sim
          --kafka-config K=V    a setting of the nodes' Kafka client; may be given several times
          --port N              of the first node; the others follow (default 8081)
          --gossip-port N       likewise (default 7946)
          --cars N              in the race (default 20)
          --rate N              records per second (default 200: real time)
          --duration N          end after N seconds (default: until Ctrl-C)
          --data-dir DIR        (default ./slipstream-dev)
          --no-restart          leave dead nodes dead
          --fresh               forget what is in the data directory
        """

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        let options = try Options(&arguments)
        try arguments.finish()
        if options.isFresh, FileManager.default.fileExists(atPath: options.directory) {
            try FileManager.default.removeItem(atPath: options.directory)
        }
        try FileManager.default.createDirectory(atPath: options.directory, withIntermediateDirectories: true)
        let cluster = DevCluster(options)
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        let signals = StopSignals { stop.finish() }
        defer { signals.cancel() }
        do {
            try await cluster.start()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in stops {} }
                group.addTask { await DevRace(options, cluster.address).run() }
                await group.next()
                group.cancelAll()
            }
        } catch {
            cluster.stop()
            throw error
        }
        cluster.stop()
        return 0
    }

    struct Options: Sendable {
        let nodes: Int
        let replicas: Int
        let partitions: Int
        let brokers: Int
        let kafka: String?
        let kafkaSettings: [String]
        let port: Int
        let gossipPort: Int
        let cars: Int
        let rate: Int
        let duration: Int
        let directory: String
        let restarts: Bool
        let isFresh: Bool

        init(_ arguments: inout Arguments) throws(UsageError) {
            nodes = try arguments.takeNumber("--nodes", in: 1...32, default: 3)
            replicas = try arguments.takeNumber("--replicas", in: 1...16, default: 2)
            partitions = try arguments.takeNumber("--partitions", in: 1...1_000, default: 12)
            brokers = try arguments.takeNumber("--brokers", in: 1...9, default: 3)
            kafka = try arguments.takeOption("--kafka")
            kafkaSettings = try arguments.takeOptions("--kafka-config")
            port = try arguments.takeNumber("--port", in: 1_024...65_000, default: 8_081)
            gossipPort = try arguments.takeNumber("--gossip-port", in: 1_024...65_000, default: 7_946)
            cars = try arguments.takeNumber("--cars", in: 1...999, default: 20)
            rate = try arguments.takeNumber("--rate", in: 1...1_000_000, default: 200)
            duration = try arguments.takeNumber("--duration", in: 1...1_000_000, default: 1_000_000)
            directory = try arguments.takeOption("--data-dir") ?? "slipstream-dev"
            restarts = !arguments.takeSwitch("--no-restart")
            isFresh = arguments.takeSwitch("--fresh")
        }
    }
}

/// The processes of a cluster on this machine.
final class DevCluster: Sendable {
    struct State {
        var processes: [String: Process] = [:]
        var isStopping = false
        /// Of its Kafka, once that runs.
        var kafka = ""
    }

    let options: DevCommand.Options
    let state = Monitor(State())
    private let show: @Sendable (String) -> Void

    /// - Parameter show: takes a line per event.
    init(_ options: DevCommand.Options, show: @escaping @Sendable (String) -> Void = printLine) {
        self.options = options
        self.show = show
    }

    var address: NodeAddress { NodeAddress(ports: (0..<options.nodes).map { options.port + $0 }) }

    /// Returns when all nodes, or these, are ready.
    func start(_ chosen: ClosedRange<Int>? = nil) async throws {
        let numbers = chosen ?? 1...options.nodes
        let kafka: String
        if let given = options.kafka { kafka = given } else { kafka = try await startKafka() }
        state.withLock { $0.kafka = kafka }
        for number in numbers { try startNode(number, kafka) }
        for number in numbers { try await awaitReady(number) }
        show("ready: slipstream tail 'chassis/*' --node \(nodeList)")
    }

    private var nodeList: String {
        (0..<options.nodes).map { "127.0.0.1:\(options.port + $0)" }.joined(separator: ",")
    }

    private func startKafka() async throws -> String {
        let file = options.directory + "/kafka-sim.port"
        try? FileManager.default.removeItem(atPath: file)
        try launch(
            "kafka-sim",
            [
                "kafka-sim", "--brokers", "\(options.brokers)", "--topic", "telemetry.chassis:\(options.partitions)",
                "--topic", "telemetry.chassis.dlq:1", "--topic", "slipstream.snapshots:\(options.partitions)",
                "--port-file", file,
            ])
        for _ in 0..<500 {
            if let text = try? String(contentsOfFile: file, encoding: .utf8), let sim = try? JSONValue.parse(text),
                let address = sim["brokers"]?.string
            {
                show("kafka-sim  \(address), faults at \(sim["control"]?.string ?? "")")
                return address
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw CommandError("kafka-sim did not start within 10 s; see above")
    }

    func startNode(_ number: Int, _ kafka: String) throws {
        let name = "n\(number)"
        let port = options.port + number - 1
        let gossip = (0..<options.nodes).map { "127.0.0.1:\(options.gossipPort + $0)" }.joined(separator: ",")
        let process = try launch(
            name,
            [
                "node", "--node-id", name, "--host", "127.0.0.1", "--port", "\(port)", "--udp", "off",
                "--gossip-port", "\(options.gossipPort + number - 1)", "--join", gossip, "--kafka", kafka,
                "--replicas", "\(options.replicas)", "--data-dir", "\(options.directory)/\(name)",
                "--log-format", "json",
            ] + options.kafkaSettings.flatMap { ["--kafka-config", $0] }
        ) { [self] status in
            guard options.restarts, !state.withLock({ $0.isStopping }) else { return }
            show("\(name)  ended with \(status), starting it again")
            do { try startNode(number, kafka) } catch { printError("\(name) does not start again: \(error)") }
        }
        show("\(name)  http://127.0.0.1:\(port)/  process \(process.processIdentifier)")
    }

    func awaitReady(_ number: Int) async throws {
        let address = NodeAddress(ports: [options.port + number - 1])
        for _ in 0..<600 {
            if (try? await address.get("/readyz")) != nil { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        let page = (try? await address.get("/v1/cluster")).map { String(decoding: $0.prefix(2_000), as: UTF8.self) }
        throw CommandError("n\(number) is not ready after 30 s; see above\(page.map { "\n\($0)" } ?? "")")
    }

    @discardableResult
    private func launch(
        _ name: String, _ arguments: [String], ended: @escaping @Sendable (Int32) -> Void = { _ in }
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardError = pipe
        // A thread that blocks: Foundation's readability handlers crash now and then when a process goes.
        let output = pipe.fileHandleForReading
        Thread.detachNewThread { [show] in
            let lines = EventLines(name, show)
            while true {
                let data = output.availableData
                if data.isEmpty { return }
                lines.take(data)
            }
        }
        process.terminationHandler = { ended($0.terminationStatus) }
        try state.withLock { state in
            guard !state.isStopping else { throw CommandError("stopping") }
            try process.run()
            state.processes[name] = process
        }
        return process
    }

    /// Ends all, nodes first; who does not end within the time is killed.
    func stop() {
        let processes = state.withLock { state in
            state.isStopping = true
            return state.processes
        }
        let nodes = processes.filter { $0.key != "kafka-sim" }.map(\.value)
        // Twice: the second tells a node not to wait for others to take over.
        for _ in 0..<2 { nodes.filter(\.isRunning).forEach { $0.terminate() } }
        let deadline = ContinuousClock.now + .seconds(5)
        while nodes.contains(where: \.isRunning), ContinuousClock.now < deadline { Thread.sleep(forTimeInterval: 0.02) }
        for process in processes.values where process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}

/// Prints what nodes log, a short line per event.
private final class EventLines: Sendable {
    private let name: String
    private let show: @Sendable (String) -> Void
    private let rest = Monitor(Data())

    init(_ name: String, _ show: @escaping @Sendable (String) -> Void) {
        self.name = name
        self.show = show
    }

    func take(_ data: Data) {
        let lines = rest.withLock { rest -> [Data] in
            rest.append(data)
            var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            rest = Data(lines.removeLast())
            return lines.map { Data($0) }
        }
        for line in lines where !line.isEmpty { show("\(name)  \(shown(line))") }
    }

    private func shown(_ line: Data) -> String {
        guard let event = try? JSONValue.parse(line), let fields = event.object else {
            return String(decoding: line, as: UTF8.self)
        }
        let known = ["time", "level", "message", "node", "incarnation"]
        let data = fields.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value.string ?? "")" }
        let level = fields["level"]?.string == "error" ? "ERROR " : ""
        return "\(level)\(fields["message"]?.string ?? "") \(data.joined(separator: " "))"
    }
}

/// Publishes a race at a rate and counts what comes back.
private struct DevRace {
    let options: DevCommand.Options
    let address: NodeAddress

    init(_ options: DevCommand.Options, _ address: NodeAddress) {
        self.options = options
        self.address = address
    }

    func run() async {
        do {
            let client = try SlipstreamClient(urls: address.streams)
            try await publish(client)
            await client.close()
        } catch is CancellationError {} catch SlipstreamError.cancelled {} catch { printError("race: \(error)") }
    }

    private func publish(_ client: SlipstreamClient) async throws {
        var words = Arguments(["--cars", "\(options.cars)", "--seed", "\(UInt32.random(in: 0...9_999))"])
        var race = Race(try Race.Options(&words))
        let publisher = client.publisher()
        let start = ContinuousClock.now
        var (steps, told) = (0, start)
        while ContinuousClock.now - start < .seconds(options.duration) {
            try await publisher.publish(json: race.step())
            steps += 1
            if ContinuousClock.now - told > .seconds(5) {
                told = .now
                printLine("race  \(grouped(steps * options.cars)) records published")
            }
            try await Task.sleep(until: start + .seconds(Double(steps * options.cars) / Double(options.rate)))
        }
        try await publisher.flush()
        printLine("race  \(grouped(steps * options.cars)) records published, all acknowledged")
    }
}
