import Telemetry

/// What a log may forget. `nil` stands for no limit; records go only in the order in which they came.
package struct Retention: Sendable, Equatable {
    /// Since the record was stored by the wall clock of the node that stored it, not by the time in the record: a race
    /// of last year that is played today is not old.
    package var age: Duration?
    /// Stored bytes of one partition. The newest batch is kept even if it is larger by itself.
    package var bytesPerPartition: Int?

    package init(age: Duration? = nil, bytesPerPartition: Int? = nil) {
        self.age = age
        self.bytesPerPartition = bytesPerPartition
    }

    package static let forever = Retention()

    /// The instant before which everything may go.
    package func horizon(at now: Timestamp) -> Timestamp? {
        guard let age else { return nil }
        let (seconds, attoseconds) = age.components
        return Timestamp(microseconds: now.microseconds - seconds * 1_000_000 - attoseconds / 1_000_000_000_000)
    }
}

/// A log that forgets by itself. (Kafka's brokers do it for Kafka.)
package protocol RetainingLog: PartitionedLog {
    /// Removes what `retention` does not ask to keep, in small steps between which appends go on.
    /// - Returns: how many records went.
    @discardableResult
    func remove(beyond retention: Retention, at now: Timestamp) throws(LogError) -> Int
}
