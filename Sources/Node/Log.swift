import Glibc
import Synchronization
import Telemetry

/// Writes one line per event to stderr.
///
/// `error` wakes someone, `notice` is a change of state, `debug` is one message; normal traffic is counted, not logged.
package final class Log: Sendable {
    package enum Level: String, CaseIterable, Sendable, Comparable {
        case debug, notice, error
        package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
        private var rank: Int {
            switch self {
            case .debug: 0
            case .notice: 1
            case .error: 2
            }
        }
    }

    /// The names of fields, the same in logs and metrics.
    package enum Field: String, Sendable {
        case node, incarnation, partition, offset, stream, records, reason, address, milliseconds, path, count, lag,
            hash, udp, peer
    }

    private let level: Level
    private let isJSON: Bool
    private let node: String
    private let incarnation: Int64
    private let lock = Mutex(())

    package init(level: Level, isJSON: Bool, node: String, incarnation: Int64) {
        self.level = level
        self.isJSON = isJSON
        self.node = node
        self.incarnation = incarnation
    }

    package func debug(_ message: StaticString, _ fields: KeyValuePairs<Field, String> = [:]) {
        write(.debug, message, fields)
    }
    package func notice(_ message: StaticString, _ fields: KeyValuePairs<Field, String> = [:]) {
        write(.notice, message, fields)
    }
    package func error(_ message: StaticString, _ fields: KeyValuePairs<Field, String> = [:]) {
        write(.error, message, fields)
    }

    private func write(_ level: Level, _ message: StaticString, _ fields: KeyValuePairs<Field, String>) {
        guard level >= self.level else { return }
        let all = fields.map { ($0.key.rawValue, $0.value) } + [("node", node), ("incarnation", "\(incarnation)")]
        var line = isJSON ? json(level, "\(message)", all) : text(level, "\(message)", all)
        line.append(UInt8(ascii: "\n"))
        // One call to write(2): lines of several threads never mix. Nothing can be done where stderr is gone.
        lock.withLock { _ in _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) } }
    }

    private func text(_ level: Level, _ message: String, _ fields: [(String, String)]) -> [UInt8] {
        let data = fields.map { name, value in
            "\(name)=" + (value.contains { " \"=".contains($0) } ? "\"\(value.replacing("\"", with: "'"))\"" : value)
        }
        return Array("\(Timestamp.wall.iso8601) \(level.rawValue) \(message) \(data.joined(separator: " "))".utf8)
    }

    private func json(_ level: Level, _ message: String, _ fields: [(String, String)]) -> [UInt8] {
        var json = JSONWriter()
        json.raw("{\"time\":")
        json.timestamp(.wall)
        for (name, value) in [("level", level.rawValue), ("message", message)] + fields {
            json.comma()
            json.key(name)
            json.string(value)
        }
        json.raw("}")
        return json.bytes
    }
}

extension Timestamp {
    /// The time of day: for people and for records, never subtracted.
    package static var wall: Timestamp { read(CLOCK_REALTIME) }
    /// A clock that only goes forward, from an arbitrary start: for intervals.
    package static var monotonic: Timestamp { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Timestamp {
        var now = timespec()
        clock_gettime(clock, &now)
        return Timestamp(microseconds: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000)
    }
}
