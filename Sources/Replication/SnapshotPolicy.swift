import Telemetry

/// When a shard is worth a snapshot: after some time or some records, whichever comes first, and never when it stood
/// still. It bounds what a restart has to fold.
package struct SnapshotPolicy: Sendable {
    package let intervalMicroseconds: Int64
    /// Log records.
    package let records: Int

    package init(intervalMicroseconds: Int64, records: Int) {
        self.intervalMicroseconds = intervalMicroseconds
        self.records = records
    }

    /// How far a shard has come since its last snapshot.
    package struct Progress: Sendable {
        package var records = 0
        package let since: Timestamp
        package init(now: Timestamp) { since = now }
    }

    /// - Parameter evenIfEarly: true when the replica is about to stop.
    package func isDue(_ progress: Progress, now: Timestamp, evenIfEarly: Bool) -> Bool {
        guard progress.records > 0 else { return false }
        return evenIfEarly || progress.records >= records
            || now.microseconds - progress.since.microseconds >= intervalMicroseconds
    }
}
