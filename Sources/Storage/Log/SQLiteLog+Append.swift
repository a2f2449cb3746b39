import Replication
import Telemetry
import Threads

/// Who may write, and who waits for it. One thread at a time has the turn and with it the file.
struct Turn {
    struct Waiting: Sendable {
        let ticket: UInt64
        let records: [NewRecord]
    }

    var file: LogFile?
    var lock: DirectoryLock?
    var isTaken = false
    var isClosing = false
    var lastTicket: UInt64 = 0
    var waiting: [Waiting] = []
    var results: [UInt64: Result<[Offset], LogError>] = [:]
    /// Length of the WAL after the last commit, and how much of it was checkpointed last time.
    var walBytes = 0
    var walBytesMoved = 0
}

extension SQLiteLog {
    /// Group commit: whoever finds the turn free commits for all that wait; the others find their result.
    package func append(_ records: [NewRecord]) throws(LogError) -> [Offset] {
        for record in records { try check(record.partition) }
        let ticket = try turn.withLock { (turn) throws(LogError) in
            guard !turn.isClosing else { throw .closed }
            turn.lastTicket += 1
            turn.waiting.append(.init(ticket: turn.lastTicket, records: records))
            return turn.lastTicket
        }
        let work = turn.when({ !$0.isTaken || $0.results.keys.contains(ticket) }) { turn in
            turn.results.keys.contains(ticket) ? nil : turn.take()
        }
        if let (file, group) = work {
            let results = commit(group, to: file)
            // The log's own thread has fallen behind, or a reader holds on to the WAL. It must not fill the disk.
            if file.connection.walBytes >= settings.walBytesMax { checkpoint(file.connection) }
            turn.update { turn in
                turn.isTaken = false
                turn.walBytes = file.connection.walBytes
                // Shorter than what was moved: SQLite has begun it anew.
                if turn.walBytes < turn.walBytesMoved { turn.walBytesMoved = 0 }
                for (waiting, result) in zip(group, results) { turn.results[waiting.ticket] = result }
            }
        }
        guard let result = turn.withLock({ $0.results.removeValue(forKey: ticket) }) else { throw .closed }
        return try result.get()
    }

    private func commit(_ group: [Turn.Waiting], to file: LogFile) -> [Result<[Offset], LogError>] {
        var commit = Commit(
            after: positions.withLock { $0.all }, rowBytes: settings.rowBytes, storedAt: clock(),
            compressor: compressor)
        let offsets = group.map { waiting in waiting.records.map { commit.add($0) } }
        let rows = commit.finish()
        do throws(LogError) {
            try store(rows, firsts: commit.firsts, in: file)
        } catch {
            return group.map { _ in .failure(error) }
        }
        let firsts = Dictionary(uniqueKeysWithValues: commit.firsts)
        positions.withLock { positions in
            for (row, chunk) in zip(rows, commit.chunks) {
                positions.publish(row.partition, chunk, first: firsts[row.partition], through: row.through)
            }
        }
        observers.notify()
        return offsets.map { .success($0) }
    }

    /// A full disk is one that is still full when the WAL has begun anew: the file itself may have room that retention
    /// made, and only the way there may be too narrow.
    private func store(
        _ rows: [LogRow], firsts: [(PartitionID, FirstRecord)], in file: LogFile
    ) throws(LogError) {
        do throws(LogError) {
            try file.store(rows, firsts: firsts)
        } catch {
            guard case .full = error else { throw error }
            checkpoint(file.connection)
            try file.store(rows, firsts: firsts)
        }
    }
}

extension Turn {
    fileprivate mutating func take() -> (LogFile, [Waiting])? {
        guard let file else { return nil }
        isTaken = true
        defer { waiting.removeAll() }
        return (file, waiting)
    }
}
