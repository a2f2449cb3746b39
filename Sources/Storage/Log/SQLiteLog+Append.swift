import Replication
import Synchronization
import Telemetry

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
            try storeEvenIfWALIsFull(rows, commit.firsts, in: file)
        } catch { return group.map { _ in .failure(error) } }
        let firsts = Dictionary(uniqueKeysWithValues: commit.firsts)
        positions.withLock { positions in
            for (row, chunk) in zip(rows, commit.chunks) {
                positions.publish(row.partition, chunk, first: firsts[row.partition], through: row.through)
            }
        }
        return offsets.map { .success($0) }
    }

    /// The disk may be full of a WAL whose pages have room in the file: once they are moved it begins anew.
    private func storeEvenIfWALIsFull(
        _ rows: [LogRow], _ firsts: [(partition: PartitionID, first: FirstRecord)], in file: LogFile
    ) throws(LogError) {
        do throws(LogError) {
            try file.store(rows, firsts: firsts)
        } catch {
            guard case .full = error, moveWAL(of: file) else { throw error }
            try file.store(rows, firsts: firsts)
        }
    }

    /// - Returns: whether all of it was moved.
    @discardableResult
    func moveWAL(of file: LogFile) -> Bool {
        moving.withLock { _ in
            do throws(SQLiteError) {
                let checkpoint = try file.connection.checkpoint()
                return checkpoint.moved == checkpoint.pages
            } catch { return false }  // It is as it was; whoever needed the room says that there is none.
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
