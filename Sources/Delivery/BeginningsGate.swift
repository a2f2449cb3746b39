import Telemetry

/// Lets so many subscriptions begin a second, and tells the others when to come back, one behind the other.
///
/// When a node dies all its clients come to the others at once, and each that resumes may have to be served from the
/// log: taken in one after the other they all are served sooner. Pure: the time comes in. It counts with one number,
/// when the next one is due (Source: ITU-T I.371, "generic cell rate algorithm").
package struct BeginningsGate: Sendable {
    /// As many as in this time may come together.
    private static let burstMicroseconds: Int64 = 1_000_000
    /// Nobody is told to wait longer than this.
    private static let waitMax: Int64 = 5_000_000

    private let interval: Int64
    private var due: Int64 = .min / 2
    /// Until when those are expected who were told to come back.
    private var promised: Int64 = .min / 2
    private(set) package var refused: UInt64 = 0

    /// - Parameter perSecond: at least 1, at most a million.
    package init(perSecond: Int) { interval = 1_000_000 / Int64(min(max(perSecond, 1), 1_000_000)) }

    /// - Returns: `nil` when it may begin, else after how many microseconds to come back.
    package mutating func enter(at now: Timestamp) -> Int64? {
        let now = now.microseconds
        due = max(due, now)
        // One always may when nothing happened for long, however few a second.
        guard due - now > max(0, Self.burstMicroseconds - interval) else {
            due += interval
            return nil
        }
        refused += 1
        promised = max(promised, due - Self.burstMicroseconds, now) + interval
        if promised - now > Self.waitMax { promised = now + Self.waitMax }
        return promised - now
    }
}
