import Foundation
import Synchronization

/// What a run changes on the machine, written down before it is done, so that it can be undone by another process when
/// this one was killed.
struct LeftoverList: Codable, Sendable {
    /// A process id alone may be somebody else's by now; with its start it is not. Source: field 22 of proc_pid_stat(5).
    struct ProcessMark: Codable, Sendable, Equatable {
        let id: Int32
        let start: String

        init?(_ id: Int32) {
            guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8),
                let name = text.lastIndex(of: ")")
            else { return nil }
            let fields = text[name...].split(separator: " ")
            guard fields.count > 20 else { return nil }
            self.id = id
            start = String(fields[20])
        }

        var isAlive: Bool { ProcessMark(id) == self }
    }

    var harness: ProcessMark?
    var processes: [ProcessMark] = []
    var mounts: [String] = []
    /// A chain of iptables.
    var chain: String?
    var directories: [String] = []
}

/// Keeps that list in a file and works it off at the end.
final class Leftovers: Sendable {
    private let path: String
    private let list: Mutex<LeftoverList>

    static var directory: String { "/var/tmp/slipstream-chaos-\(getuid())" }

    init() throws {
        try FileManager.default.createDirectory(atPath: Leftovers.directory, withIntermediateDirectories: true)
        path = "\(Leftovers.directory)/\(getpid()).json"
        var list = LeftoverList()
        list.harness = .init(getpid())
        self.list = Mutex(list)
        try write(list)
    }

    private init(path: String, _ list: LeftoverList) {
        self.path = path
        self.list = Mutex(list)
    }

    func change(_ body: @Sendable (inout LeftoverList) -> Void) throws {
        try list.withLock { list in
            body(&list)
            try write(list)
        }
    }

    private func write(_ list: LeftoverList) throws {
        try JSONEncoder().encode(list).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// Undoes all of it, as far as possible.
    /// - Parameter keepingDirectories: for somebody to look into.
    /// - Returns: what could not be undone.
    @discardableResult
    func undo(keepingDirectories: Bool = false) -> [String] {
        let problems = list.withLock { list in
            var problems: [String] = []
            for process in list.processes where process.isAlive { kill(process.id, SIGKILL) }
            if let chain = list.chain { problems += Firewall.remove(chain) }
            for mount in list.mounts where umount2(mount, Int32(MNT_DETACH)) != 0 && errno != EINVAL && errno != ENOENT
            {
                problems.append("umount \(mount): \(String(cString: strerror(errno)))")
            }
            for directory in list.directories where !keepingDirectories && problems.isEmpty {
                guard FileManager.default.fileExists(atPath: directory) else { continue }
                do { try FileManager.default.removeItem(atPath: directory) } catch { problems.append("\(error)") }
            }
            if problems.isEmpty {
                let harness = list.harness
                list = LeftoverList()
                list.harness = harness
            }
            return problems
        }
        if problems.isEmpty { unlink(path) }
        return problems
    }

    /// What runs left behind that are no more.
    static func ofDeadRuns() -> [Leftovers] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().compactMap { name in
            let path = "\(directory)/\(name)"
            guard let data = FileManager.default.contents(atPath: path),
                let list = try? JSONDecoder().decode(LeftoverList.self, from: data), list.harness?.isAlive != true
            else { return nil }
            return Leftovers(path: path, list)
        }
    }
}
