import Telemetry

/// An instant in microseconds, as records carry it.
///
/// ```swift
/// let start = UTCTime("2025-09-06T18:40:00Z")
/// ```
public struct UTCTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// µs since 1970-01-01T00:00:00Z.
    public let microsecondsSince1970: Int64

    public init(microsecondsSince1970: Int64) { self.microsecondsSince1970 = microsecondsSince1970 }

    /// Reads ISO 8601: `2025-09-06T18:40:41.926Z`, with an offset instead of `Z`, or with neither, which means UTC.
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        guard let time = Timestamp(iso8601: text) else { return nil }
        self.init(time)
    }

    init(_ time: Timestamp) { microsecondsSince1970 = time.microseconds }

    var timestamp: Timestamp { Timestamp(microseconds: microsecondsSince1970) }

    public static func < (left: UTCTime, right: UTCTime) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    public var secondsSince1970: Double { Double(microsecondsSince1970) / 1_000_000 }

    /// `2025-09-06T18:40:41.926Z`, cut to milliseconds.
    public var description: String { timestamp.iso8601 }
}
