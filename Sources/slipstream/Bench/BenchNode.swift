import Foundation
import Glibc

/// A node in a process of its own, on loopback.
final class BenchNode: @unchecked Sendable {
    // `@unchecked`: `Process` is used by `kill` and `waitUntilReady` alone, and all that changes is set before `init` ends.
    private let process = Process()
    private let journal: String
    let dataDirectory: String
    /// ns, when the process was begun.
    let startedAt: Int64

    /// - Parameter settings: flags of `slipstream node`.
    init(dataDirectory: String, settings: [String]) throws {
        self.dataDirectory = dataDirectory
        journal = dataDirectory + ".log"
        process.executableURL = URL(
            fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let own = ["--host", "127.0.0.1", "--port", "0", "--udp", "off", "--data-dir", dataDirectory]
        // Hundreds of clients begin at once here, which is not what is measured.
        let open = settings.contains("--resumes-per-second") ? [] : ["--resumes-per-second", "1000000"]
        process.arguments = ["node"] + own + open + settings
        try Data().write(to: URL(fileURLWithPath: journal))
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: journal))
        process.standardError = output
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        startedAt = monotonicNanoseconds()
        try process.run()
    }

    var pid: Int32 { process.processIdentifier }

    /// Where it listens; `nil` until it does.
    private(set) var port = 0

    /// Waits until all shards are live.
    func waitUntilReady() throws {
        while port == 0 {
            guard process.isRunning else { throw BenchError("the node has ended: \(told)") }
            port = listeningPort ?? 0
            if port == 0 { usleep(1_000) }
        }
        while true {
            guard process.isRunning else { throw BenchError("the node has ended: \(told)") }
            if let pipe = try? HTTPPipe(port: port), (try? pipe.get("/readyz"))?.status == 200 { return }
            usleep(1_000)
        }
    }

    /// As kill −9; returns when it is gone.
    func kill() {
        guard process.isRunning else { return }
        Glibc.kill(pid, SIGKILL)
        process.waitUntilExit()
    }

    /// What the node logged.
    var told: String { (try? String(contentsOfFile: journal, encoding: .utf8)) ?? "" }

    private var listeningPort: Int? {
        guard let line = told.split(separator: "\n").first(where: { $0.contains(" listening ") }),
            let address = line.split(separator: " ").first(where: { $0.hasPrefix("address=") }),
            let port = address.split(separator: ":").last
        else { return nil }
        return Int(port)
    }

    // MARK: What it uses

    /// Resident memory in bytes.
    var residentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 << 10 } ?? 0
    }

    /// Seconds of processor time it has had, of all threads.
    var cpuSeconds: Double {
        let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// A sample of `/metrics`; 0 when there is none of that name.
    func metric(_ name: String, over pipe: HTTPPipe) throws -> Double {
        let page = String(decoding: try pipe.get("/metrics").body, as: UTF8.self)
        let line = page.split(separator: "\n").first { $0.hasPrefix("slipstream_\(name) ") }
        return line.flatMap { Double($0.split(separator: " ")[1]) } ?? 0
    }

    /// Waits until the node has folded this many points.
    func waitForPoints(_ count: Int, over pipe: HTTPPipe) throws {
        while try points(over: pipe) < count { usleep(2_000) }
    }

    private func points(over pipe: HTTPPipe) throws -> Int {
        let page = String(decoding: try pipe.get("/v1/cluster").body, as: UTF8.self)
        guard let found = page.range(of: "\"points\":") else { return 0 }
        return Int(page[found.upperBound...].prefix { $0.isNumber }) ?? 0
    }
}
