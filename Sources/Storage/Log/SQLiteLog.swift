import Compression
import Replication
import Telemetry
import Threads

/// A durable log in one SQLite file. Append returns after the commit is synced; appends that come while one is under
/// way share the next commit. The newest records are read from memory, the others through connections of their own.
///
/// It must be closed: a thread of its own moves the WAL into the file and forgets old records until then.
package final class SQLiteLog: RetainingLog {
    package struct Settings: Sendable {
        /// Fixed when the directory is first used.
        package var partitionCount = 12
        /// Records kept in memory for readers at the end, of all partitions together.
        package var tailBytes = 8 << 20
        /// The WAL is emptied beside the appends when it has grown to this, and in their way at twice this. As much as
        /// that is also kept free on the disk.
        package var walBytes = 16 << 20
        var walBytesMax: Int { 2 * walBytes }
        /// A commit's records of one partition are split into rows of about this, so that reading one record of a big
        /// commit does not decode all of it.
        package var rowBytes = 256 << 10
        /// zstd level of rows that get smaller by it; `nil` stores them as they are.
        package var compressionLevel: Int? = 1
        package var retention = Retention.forever
        package var retentionInterval = Duration.seconds(10)

        package init() {}
    }

    package let topic: String
    package let path: String
    package var partitionCount: Int { settings.partitionCount }

    let settings: Settings
    let clock: @Sendable () -> Timestamp
    /// Who may write, and who waits for it.
    let turn: Monitor<Turn>
    let positions: Monitor<Positions>
    let readers: ReaderPool
    /// Of `ScanningReader`.
    let observers = AppendObservers()
    /// Given and taken by whoever has the turn.
    let reserve: Reserve
    /// SQLite refuses a second checkpoint while one is under way; here it waits, for whoever has the turn needs it done.
    /// The state is how many there were.
    private let checkpoints = Monitor(0)
    /// For whoever has the turn.
    let compressor: Zstd.Compressor?
    private let worker = Monitor<Worker?>(nil)

    /// - Parameters:
    ///   - directory: for this log alone; made when it is not there.
    ///   - topic: part of the lineage; a directory made for another is refused.
    ///   - fileBytesMax: beyond it appends are refused as on a full disk; `nil` leaves it to the disk.
    ///   - clock: wall time, noted beside the records for retention by age.
    /// - Throws: `.io` when the directory is in use by another process, not writable, damaged, or was made with another
    ///   topic or partition count.
    package init(
        directory: String, topic: String, settings: Settings = Settings(), fileBytesMax: Int? = nil,
        clock: @escaping @Sendable () -> Timestamp = wallClock
    ) throws(LogError) {
        precondition((1...RowID.partitionCountMax).contains(settings.partitionCount), "1...32768 partitions")
        let lock = try DirectoryLock(directory)
        path = directory + "/log.db"
        let file = try LogFile(path, topic: topic, partitionCount: settings.partitionCount)
        if let fileBytesMax { try file.limit(bytes: fileBytesMax) }
        var recovered: [LogFile.Recovered] = []
        for number in 0..<settings.partitionCount { recovered.append(try file.recover(PartitionID(number))) }
        let checkpointer: Connection
        do throws(SQLiteError) { checkpointer = try Connection(path) } catch { throw error.logError }
        self.topic = topic
        self.settings = settings
        self.clock = clock
        positions = Monitor(Positions(recovered, tailBytes: settings.tailBytes))
        turn = Monitor(Turn(file: file, lock: lock))
        readers = ReaderPool(path: path)
        reserve = Reserve(path: directory + "/reserve", bytes: settings.walBytesMax)
        reserve.take()
        compressor = settings.compressionLevel.map { Zstd.Compressor(level: $0) }
        let thread = try Worker.start("log") { [self] in maintain(checkpointer) }
        worker.withLock { $0 = thread }
    }

    package func read(
        _ partition: PartitionID, from offset: Offset, maxBytes: Int, into batch: inout LogBatch
    ) throws(LogError) {
        batch.removeAll()
        try check(partition)
        let (place, end) = try positions.withLock { (positions) throws(LogError) in
            (try positions.place(of: offset, in: partition, maxBytes: maxBytes), positions[partition].end)
        }
        switch place {
        case .end: return
        case .memory(let chunks):
            for chunk in chunks where !batch.append(chunk, from: offset, maxBytes: maxBytes) { break }
        case .file:
            try readers.use { (reader) throws(LogError) in
                try reader.read(partition, from: offset, to: end, maxBytes: maxBytes, into: &batch)
            }
            guard batch.entries.isEmpty else { return }
            // Retention may have been faster than we: then this says so.
            _ = try positions.withLock { (positions) throws(LogError) in
                try positions.place(of: offset, in: partition, maxBytes: 0)
            }
            throw .corrupt(partition, at: offset, reason: "the records from here on are missing in \(path)")
        }
    }

    package func earliestOffset(of partition: PartitionID) throws(LogError) -> Offset {
        try check(partition)
        return try positions.withLock { (positions) throws(LogError) in try positions.partition(partition).earliest }
    }

    package func endOffset(of partition: PartitionID) throws(LogError) -> Offset {
        try check(partition)
        return try positions.withLock { (positions) throws(LogError) in try positions.partition(partition).end }
    }

    package func lineage(of partition: PartitionID) throws(LogError) -> UInt64? {
        try check(partition)
        let first = try positions.withLock { (positions) throws(LogError) in try positions.partition(partition).first }
        return first?.lineage(topic: topic, partition: partition)
    }

    package func close() {
        turn.update { $0.isClosing = true }
        worker.withLock { $0.take() }?.join()
        turn.when({ !$0.isTaken && $0.waiting.isEmpty }) { _ in }
        positions.withLock { $0.isClosed = true }
        observers.notify()
        readers.close()
        // Last of all the file, which moves the WAL into it, and then the directory.
        turn.update { $0.file = nil }
        turn.update { $0.lock = nil }
    }

    /// Moves what can be moved of the WAL into the file. When that fails, the WAL still has everything.
    func checkpoint(_ connection: Connection) {
        checkpoints.withLock { count in
            count += 1
            _ = try? connection.checkpoint()
        }
    }

    func check(_ partition: PartitionID) throws(LogError) {
        guard (0..<partitionCount).contains(partition.number) else {
            throw .noSuchPartition(partition, count: partitionCount)
        }
    }
}
