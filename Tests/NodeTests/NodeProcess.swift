import Foundation
import JSON
import Web

/// A node as its own process, with its own data directory and free ports.
final class NodeProcess {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let directory: URL
    private(set) var port = 0
    private(set) var udpPort = 0
    var arguments: [String]
    private let environment: [String: String]
    private var process = Process()
    private var starts = 0

    /// - Parameter port: to start again under the same address; 0 takes a free one the first time.
    init(_ arguments: [String] = [], environment: [String: String] = [:]) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("slipstream-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        self.arguments = arguments
        self.environment = environment
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        // A directory that cannot be removed is of no consequence: it is in the system's temporary one.
        try? FileManager.default.removeItem(at: directory)
    }

    static var executable: URL {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("slipstream")
    }

    /// Starts it and waits until it is ready.
    func start(within seconds: Double = 30) async throws {
        try launch()
        try await awaitReady(within: seconds)
    }

    /// Starts it.
    func launch() throws {
        starts += 1
        let log = logFile(starts)
        try Data().write(to: log)
        process = Process()
        process.executableURL = NodeProcess.executable
        process.arguments =
            [
                "node", "--host", "127.0.0.1", "--port", "\(port)", "--udp-port", "\(udpPort)", "--data-dir",
                directory.appendingPathComponent("data").path,
            ] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
    }

    func awaitReady(within seconds: Double = 30) async throws {
        let log = logFile(starts)
        do {
            try await eventually(within: seconds, "the node is ready") { [self] in
                guard process.isRunning else { throw Failure(description: "it has ended") }
                if port == 0 { try readPorts(log) }
                guard port > 0 else { return false }
                do { return try await get("/readyz").status == 200 } catch is WebError { return false }
            }
        } catch {
            // The log goes with this object.
            throw Failure(description: "\(error)\n\(try String(contentsOf: log, encoding: .utf8))")
        }
    }

    private func readPorts(_ log: URL) throws {
        for line in try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
        where line.contains("listening") || line.contains("waiting for Kafka") {
            func number(_ field: String) -> Int {
                line.split(separator: " ").first { $0.hasPrefix(field) }
                    .flatMap { $0.split(separator: ":").last.flatMap { Int($0) } } ?? 0
            }
            port = number("address=")
            udpPort = number("udp=")
        }
    }

    func kill9() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Stops it where it is; `resume` lets it go on.
    func freeze() { kill(process.processIdentifier, SIGSTOP) }
    func resume() { kill(process.processIdentifier, SIGCONT) }

    var isRunning: Bool { process.isRunning }

    /// Waits for its end; returns the exit code.
    func awaitExit() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// SIGTERM; returns the exit code.
    func terminate() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    func log(_ start: Int) throws -> String { try String(contentsOf: logFile(start), encoding: .utf8) }

    private func logFile(_ start: Int) -> URL { directory.appendingPathComponent("node-\(start).log") }

    /// What the last start has logged, once it contains `text`; ports are known from then on.
    func logged(_ text: String, within seconds: Double = 10) async throws -> String {
        try await eventually(within: seconds, "'\(text)' is logged") { try log(starts).contains(text) }
        try readPorts(logFile(starts))
        return try log(starts)
    }

    /// The exit code; waits for the process to end by itself.
    func exitCode(within seconds: Double = 10) async throws -> Int32 {
        try await eventually(within: seconds, "the process ends") { !process.isRunning }
        return process.terminationStatus
    }

    /// Resident memory, bytes.
    var memory: Int {
        let text = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4_096
    }

    var address: String { "127.0.0.1:\(port)" }

    func get(_ path: String) async throws -> HTTPResponse { try await request("GET", path) }

    func request(
        _ method: String, _ path: String, type: String = "application/json", body: String = ""
    ) async throws -> HTTPResponse {
        let client = try WebClient()
        defer { client.shutdown() }
        return try await client.request(
            method, "http://\(address)\(path)", headers: [("content-type", type)], body: Array(body.utf8))
    }

    func json(_ path: String) async throws -> JSONValue { try JSONValue.parse(try await get(path).body) }

    /// The state hash of all streams, once the replica has made `points` of what is in the log.
    func stateHash(at points: Int) async throws -> String {
        var hash = ""
        try await eventually(within: 60, "\(points) points") { [self] in
            let totals = try await json("/v1/cluster")["totals"]
            hash = totals?["state_hash"]?.string ?? ""
            return totals?["points"]?.int == points
        }
        return hash
    }
}

/// Waits for a condition, not for a time; the time only bounds it. Under a sanitizer, which makes all some ten times as
/// slow, the bound is wider.
func eventually(
    within seconds: Double = 10, _ what: String, _ condition: () async throws -> Bool
) async throws {
    let seconds = seconds * (isSanitized ? 5 : 1)
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw NodeProcess.Failure(description: "not within \(seconds) s: \(what)")
}

/// Whether this is a build for the thread or the address sanitizer: their libraries are in the program then.
let isSanitized = dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
