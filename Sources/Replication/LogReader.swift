/// What a reader has for its caller.
package enum LogReading: Equatable, Sendable {
    /// The batch holds records of this partition; reading goes on behind them.
    case records(PartitionID)
    /// All there was has been handed out, up to this offset. Said once each time the end is reached.
    case end(PartitionID, Offset)
    /// What was asked for is gone. The partition stands still until it is assigned again.
    case truncated(PartitionID, asked: Offset, earliest: Offset)
    /// The log ends before the offset that was asked for: it was cut, or the topic was made anew and its lineage is
    /// another. The partition stands still until it is assigned again.
    case shortened(PartitionID, asked: Offset, end: Offset)
    /// Nothing within the time, or somebody called `wake`.
    case idle
}

/// Follows partitions of a log, each from an offset on and in order, with one thread waiting for all of them.
///
/// One thread owns a reader and calls everything but `wake`. Readers do not disturb each other.
package protocol LogReader: AnyObject, Sendable {
    /// Reads `partition` from `offset` on, in place of wherever it was.
    func assign(_ partition: PartitionID, from offset: Offset) throws(LogError)
    /// Nothing more of `partition` is handed out.
    func unassign(_ partition: PartitionID) throws(LogError)

    /// Waits until there is something to say, `wake` is called or `limit` is over.
    ///
    /// - Parameter maxBytes: about as much goes into `batch`, which is emptied first; one record always fits.
    func next(
        maxBytes: Int, waitingUpTo limit: Duration, into batch: inout LogBatch
    ) throws(LogError) -> LogReading

    /// Ends a wait under way or, if there is none, the next one. From any thread.
    func wake()

    /// Lets go of what it holds. Later calls throw `.closed`. May block for a moment.
    func close()
}

/// A log that can be followed without asking it again and again.
package protocol FollowableLog: PartitionedLog {
    func makeReader() throws(LogError) -> any LogReader
}
