import Glibc
import Replication
import Telemetry
import Threads

/// The log's own thread: moves the WAL into the file beside the appends, and forgets what retention lets go.
extension SQLiteLog {
    /// Rows removed in one transaction, while appends wait.
    private static let rowsPerStep = 32

    func maintain(_ checkpointer: Connection) {
        var nextRetention = ContinuousClock.now + settings.retentionInterval
        let step = settings.walBytes / 8
        while true {
            let (isClosing, wantsCheckpoint) = turn.when(
                { $0.isClosing || $0.walBytes - $0.walBytesMoved >= step }, orAfter: settings.retentionInterval
            ) { turn in (turn.isClosing, turn.walBytes - turn.walBytesMoved >= step) }
            if isClosing { return }
            if wantsCheckpoint { emptyWAL(with: checkpointer) }
            // Given away on a full disk; there may be room again.
            withTurn { _ in reserve.take() }
            if settings.retention != .forever, ContinuousClock.now >= nextRetention {
                // What cannot be removed now is tried again at the next interval.
                _ = try? remove(beyond: settings.retention, at: clock())
                nextRetention = ContinuousClock.now + settings.retentionInterval
            }
        }
    }

    /// Moves most of the WAL while appends go on. Only when it has become too large do they wait, for the short rest
    /// that was added meanwhile: the next append then begins the WAL anew.
    private func emptyWAL(with checkpointer: Connection) {
        let length = turn.withLock { $0.walBytes }
        // When it fails it is tried again after as much has been added.
        checkpoint(checkpointer)
        turn.withLock { $0.walBytesMoved = length }
        guard length >= settings.walBytes else { return }
        withTurn { file in checkpoint(file.connection) }
    }

    @discardableResult
    package func remove(beyond retention: Retention, at now: Timestamp) throws(LogError) -> Int {
        var removed = 0
        for number in 0..<partitionCount {
            while true {
                let step = try removeStep(PartitionID(number), retention, at: now)
                removed += step
                if step == 0 { break }
            }
        }
        return removed
    }

    /// Removes a few rows; 0 when there is nothing more to remove.
    private func removeStep(
        _ partition: PartitionID, _ retention: Retention, at now: Timestamp
    ) throws(LogError) -> Int {
        guard retention != .forever else { return 0 }
        let horizon = retention.horizon(at: now)
        let result = withTurn { file in
            Result { () throws(LogError) in
                let state = positions.withLock { $0[partition] }
                let ages = try file.oldest(SQLiteLog.rowsPerStep, of: partition)
                let gone = ages.prefix { age in
                    let isOld = horizon.map { age.storedAt < $0 } ?? false
                    let isTooMuch = retention.bytesPerPartition.map { limit in
                        // Without this row, what is left is still the limit or more... or the row is the newest.
                        age.end < state.end && state.through - age.through >= Int64(limit)
                    }
                    return isOld || isTooMuch ?? false
                }
                guard let last = gone.last else { return 0 }
                // First out of sight, then out of the file, so that no reader looks for what is not there.
                positions.withLock { $0.advance(partition, to: last.end) }
                try removeEvenIfFull(before: last.end, of: partition, state, from: file)
                return Int(last.end.value - state.earliest.value)
            }
        }
        guard let result else { throw .closed }
        return try result.get()
    }

    private func removeEvenIfFull(
        before earliest: Offset, of partition: PartitionID, _ state: Positions.Partition, from file: LogFile
    ) throws(LogError) {
        do throws(LogError) {
            try file.remove(before: earliest, of: partition, end: state.end, through: state.through)
        } catch {
            guard case .full = error else { throw error }
            reserve.give()
            defer { reserve.take() }
            // The WAL begins anew after this and has the room that deleting needs.
            checkpoint(file.connection)
            try file.remove(before: earliest, of: partition, end: state.end, through: state.through)
        }
    }

    /// Runs `body` while no append can; `nil` when the log is closed.
    @discardableResult
    private func withTurn<Value>(_ body: (LogFile) -> Value) -> Value? {
        let file = turn.when({ !$0.isTaken }) { turn in
            if turn.file != nil { turn.isTaken = true }
            return turn.file
        }
        guard let file else { return nil }
        defer { turn.update { $0.isTaken = false } }
        return body(file)
    }
}

/// The time of day, for retention by age.
@Sendable package func wallClock() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
}
