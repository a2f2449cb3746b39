import Commands
import Foundation
import Glibc
import Synchronization

/// One thing that is measured.
protocol Bench: Sendable {
    static var name: String { get }
    static var summary: String { get }
    /// Lines of help, one per option.
    static var options: [String] { get }
    init(_ arguments: inout Arguments) throws(UsageError)
    func run(in place: BenchPlace) async throws -> BenchReport
}

/// Why there is no figure.
struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Where a bench keeps its data and its processes; nothing of either is left.
final class BenchPlace: Sendable {
    let directory: String
    let progress: BenchProgress
    private let nodes = Mutex<[BenchNode]>([])
    private let endings = Mutex<[@Sendable () -> Void]>([])

    /// - Parameter parent: on the disk to be measured; `/tmp` may be memory, so it is not the default.
    init(under parent: String?, progress: BenchProgress) throws {
        let parent = parent ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/var/tmp"
        directory = "\(parent)/slipstream-bench-\(getpid())"
        self.progress = progress
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// A node of its own process, ready.
    func startNode(_ name: String = "node", settings: [String] = []) throws -> BenchNode {
        let node = try BenchNode(dataDirectory: "\(directory)/\(name)", settings: settings)
        nodes.withLock { $0.append(node) }
        try node.waitUntilReady()
        return node
    }

    /// Has `ending` called when the bench is over, whatever way.
    func atEnd(_ ending: @escaping @Sendable () -> Void) { endings.withLock { $0.append(ending) } }

    func remove() {
        for ending in endings.withLock({ endings in
            defer { endings = [] }
            return endings
        }) { ending() }
        nodes.withLock { nodes in
            nodes.forEach { $0.kill() }
            nodes = []
        }
        // A directory that cannot be removed is no reason to hide the figures.
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// One line on stderr that tells what goes on; nothing where stderr is no terminal but the first of each.
final class BenchProgress: Sendable {
    private let name: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    init(_ name: String) { self.name = name }

    func say(_ text: String) { write(isTerminal ? "\r\u{1B}[Kbench \(name): \(text)" : "bench \(name): \(text)\n") }
    func end() { if isTerminal { write("\r\u{1B}[K") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// ns of a clock that only goes forward.
func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }
/// ns all threads of this process have run.
func processNanoseconds() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }
/// ns this thread has run.
func threadNanoseconds() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

private func read(_ clock: clockid_t) -> Int64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
