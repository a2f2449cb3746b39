import Commands
import Foundation
import Glibc
import JSON
import Threads

/// A cluster as `slipstream dev` runs it, on free ports, whose nodes can be made to fail.
final class BenchCluster: Sendable {
    private let dev: DevCluster
    private let journal: BenchJournal
    let nodeCount: Int

    private let directory: String

    /// - Parameters:
    ///   - name: of its own, where there are several in one place.
    ///   - arguments: of `slipstream dev`.
    init(
        in place: BenchPlace, name: String = "cluster", nodes: Int, arguments: [String] = [], journal: BenchJournal
    ) throws {
        self.journal = journal
        nodeCount = nodes
        directory = "\(place.directory)/\(name)"
        let ports = try FreePorts.range(of: nodes * 2)
        var words = Arguments(
            [
                "--nodes", "\(nodes)", "--port", "\(ports)", "--gossip-port", "\(ports + nodes)", "--no-restart",
                "--data-dir", directory,
            ] + arguments)
        dev = DevCluster(try DevCommand.Options(&words)) { line in journal.note(line) }
        try words.finish()
        try FileManager.default.createDirectory(atPath: dev.options.directory, withIntermediateDirectories: true)
        place.atEnd { [self] in killAll() }
    }

    /// Returns when all nodes, or these, are ready. The others may be started by `restart`.
    func start(_ numbers: ClosedRange<Int>? = nil) async throws {
        try await dev.start(numbers)
    }

    var kafka: String { dev.state.withLock { $0.kafka } }
    var address: NodeAddress { dev.address }
    var urls: [String] { dev.address.streams }
    func port(of number: Int) -> Int { dev.options.port + number - 1 }
    /// The node at this url.
    func number(of url: String) -> Int? {
        (1...nodeCount).first { url.contains(":\(port(of: $0))") }
    }

    // MARK: Faults

    func signal(_ number: Int, _ signal: Int32) {
        guard let process = process(number), process.isRunning else { return }
        journal.note("n\(number)  gets signal \(signal)")
        kill(process.processIdentifier, signal)
    }

    /// Waits until the node's process has ended.
    func awaitEnd(_ number: Int, within limit: Duration = .seconds(30)) async throws {
        let deadline = ContinuousClock.now + limit
        while let process = process(number), isAlive(process) {
            guard ContinuousClock.now < deadline else { throw BenchError("n\(number) does not end; \(journal.tail)") }
            try await Task.sleep(for: .milliseconds(5))
        }
        journal.note("n\(number)  has ended")
    }

    /// Starts a node that has ended, or was never started, and waits until it is ready.
    func restart(_ number: Int) async throws {
        try dev.startNode(number, kafka)
        try await dev.awaitReady(number)
        journal.note("n\(number)  is ready")
    }

    /// Until every shard is live on as many nodes as it should be, as all nodes know it.
    func awaitWhole() async throws {
        try await awaitAll(1...nodeCount, "some shards have too few live replicas for 60 s") { map in
            map.shards.allSatisfy { $0.count(where: \.isLive) >= min(2, self.nodeCount) }
        }
    }

    /// Until all of these nodes know that these and no others are there and hold all shards, and nothing moves.
    func awaitSettled(_ numbers: ClosedRange<Int>) async throws {
        let names = Set(numbers.map { "n\($0)" })
        try await awaitAll(numbers, "the shards do not settle on \(names.sorted()) within 60 s") { map in
            map.members == names
                && map.shards.allSatisfy { replicas in
                    replicas.count == min(2, names.count)
                        && replicas.allSatisfy { $0.isLive && names.contains($0.node) }
                }
        }
    }

    /// - Throws: `complaint` when not all of these nodes see it so within 60 s.
    private func awaitAll(
        _ numbers: ClosedRange<Int>, _ complaint: String, _ isReached: (BenchShardMap) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            var areAll = true
            for number in numbers where areAll { areAll = await map(asKnownBy: number).map(isReached) ?? false }
            if areAll { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchError("\(complaint); \(journal.tail)")
    }

    /// `nil` when the node does not answer.
    func map(asKnownBy number: Int) async -> BenchShardMap? {
        guard let body = try? await NodeAddress(ports: [port(of: number)]).get("/v1/cluster?streams=off") else {
            return nil
        }
        return (try? JSONValue.parse(body)).map(BenchShardMap.init)
    }

    /// Ends all processes and removes what they have stored: another may follow.
    func close() throws {
        killAll()
        try FileManager.default.removeItem(atPath: directory)
    }

    func killAll() {
        let processes = dev.state.withLock { state in
            state.isStopping = true
            return state.processes
        }
        for process in processes.values where isAlive(process) { kill(process.processIdentifier, SIGKILL) }
        while processes.values.contains(where: isAlive) { usleep(1_000) }
    }

    /// As the system has it: `Process.isRunning` may lag by seconds.
    private func isAlive(_ process: Process) -> Bool {
        guard process.isRunning else { return false }
        let stat = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        return stat.split(separator: ")").last.map { !$0.hasPrefix(" Z") } ?? false
    }

    /// What the nodes say of themselves, for when something fails.
    func testimony(_ stream: String) async -> String {
        var told: [String] = []
        for number in 1...nodeCount {
            let node = NodeAddress(ports: [port(of: number)])
            let metrics = (try? await node.get("/metrics")).map { String(decoding: $0, as: UTF8.self) } ?? "no answer"
            let words = ["replay", "resync", "stalled", "clients", "frames_sent_total"]
            told += metrics.split(separator: "\n").filter { line in
                !line.hasPrefix("#") && words.contains { line.contains($0) }
            }.map { "n\(number)  \($0)" }
            let state = try? await node.get("/v1/streams/\(stream)").prefix(300)
            told.append("n\(number)  \(state.map { String(decoding: $0, as: UTF8.self) } ?? "no answer")")
        }
        return told.joined(separator: "\n")
    }

    private func process(_ number: Int) -> Process? { dev.state.withLock { $0.processes["n\(number)"] } }
}

/// What went on, with times: shown when asked for, and kept for when something fails.
final class BenchJournal: Sendable {
    private let isShown: Bool
    private let start = monotonicNanoseconds()
    private let lines = Monitor<[String]>([])
    private let listener = Monitor<(@Sendable (String) -> Void)?>(nil)

    init(isShown: Bool) { self.isShown = isShown }

    /// Has each line from now on handed to `listener` as well, and to nobody else.
    func tell(_ listener: @escaping @Sendable (String) -> Void) { self.listener.withLock { $0 = listener } }

    func note(_ text: String) {
        listener.withLock { $0 }?(text)
        let milliseconds = Double(monotonicNanoseconds() - start) / 1_000_000
        let line = "\(decimal(milliseconds, 1)) ms  \(text)"
        if isShown { printError(line) }
        lines.withLock { lines in
            lines.append(line)
            if lines.count > 200 { lines.removeFirst(100) }
        }
    }

    var tail: String { "the last that happened:\n" + lines.withLock { $0.suffix(20) }.joined(separator: "\n") }
}

/// Ports of loopback that nobody has at the moment.
enum FreePorts {
    /// The first of so many in a row. Below those the system gives to whoever asks for any.
    static func range(of count: Int) throws -> Int {
        for _ in 0..<100 {
            let first = Int.random(in: 15_000...31_000)
            let ports = first..<first + count
            if ports.allSatisfy({ isFree($0, SOCK_STREAM) && isFree($0, SOCK_DGRAM) }) { return first }
        }
        throw BenchError("there are no \(count) free ports in a row")
    }

    private static func isFree(_ port: Int, _ kind: __socket_type) -> Bool {
        let descriptor = socket(AF_INET, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
