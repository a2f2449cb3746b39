import Compression
import Replication
import Telemetry
import Threads

/// Snapshots in a SQLite file of their own, so that writing a large one never lengthens the log's WAL. Compressed.
package final class SQLiteSnapshotStore: SnapshotStore {
    /// More than any node holds in memory for one shard.
    private static let snapshotBytesMax = 1 << 30

    private struct State {
        var connection: Connection?
        var lock: DirectoryLock?
    }
    private let state: Monitor<State>

    /// - Parameter directory: for this store alone; made when it is not there.
    package init(directory: String) throws(LogError) {
        let lock = try DirectoryLock(directory)
        do throws(SQLiteError) {
            let connection = try Connection(directory + "/snapshots.db")
            try connection.execute(
                """
                PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1024;
                CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY AUTOINCREMENT, partition INTEGER,
                    offset INTEGER, data BLOB);
                CREATE INDEX IF NOT EXISTS snapshot_of ON snapshot (partition, offset);
                """)
            state = Monitor(State(connection: connection, lock: lock))
        } catch {
            throw error.logError
        }
    }

    package func save(_ bytes: [UInt8], of partition: PartitionID, at offset: Offset) throws(LogError) {
        let data = Zstd.compress(bytes)
        let number = Int64(partition.number)
        try with { (connection) throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                try connection.run("DELETE FROM snapshot WHERE partition = ? AND offset = ?", number, offset.value)
                try connection.run(
                    "INSERT INTO snapshot (partition, offset, data) VALUES (?, ?, ?)", number, offset.value, blob: data)
                let stored = try SQLiteSnapshotStore.offsets(of: partition, in: connection)
                for offset in Set(stored).subtracting(SnapshotRetention.kept(of: stored)) {
                    try connection.run("DELETE FROM snapshot WHERE partition = ? AND offset = ?", number, offset.value)
                }
            }
        }
    }

    package func offsets(of partition: PartitionID) throws(LogError) -> [Offset] {
        try with { (connection) throws(SQLiteError) in try SQLiteSnapshotStore.offsets(of: partition, in: connection) }
    }

    private static func offsets(of partition: PartitionID, in connection: Connection) throws(SQLiteError) -> [Offset] {
        let select = try connection.prepare("SELECT offset FROM snapshot WHERE partition = ? ORDER BY id DESC")
        try select.bind(Int64(partition.number))
        var offsets: [Offset] = []
        while try select.step() { offsets.append(Offset(select.integer(0))) }
        return offsets
    }

    package func load(_ partition: PartitionID, at offset: Offset) throws(LogError) -> [UInt8]? {
        let data: [UInt8]? = try with { (connection) throws(SQLiteError) in
            let select = try connection.prepare("SELECT data FROM snapshot WHERE partition = ? AND offset = ?")
            try select.bind(Int64(partition.number), offset.value)
            return try select.step() ? Array(select.blob(0)) : nil
        }
        guard let data else { return nil }
        do throws(ZstdError) {
            return try Zstd.decompress(data, limit: SQLiteSnapshotStore.snapshotBytesMax)
        } catch {
            throw .corrupt(partition, at: offset, reason: error.description)
        }
    }

    /// Later calls throw `.closed`.
    package func close() {
        state.withLock { state in
            state.connection = nil
            state.lock = nil
        }
    }

    private func with<Value>(
        _ body: (Connection) throws(SQLiteError) -> Value
    ) throws(LogError) -> Value {
        try state.withLock { (state) throws(LogError) in
            guard let connection = state.connection else { throw .closed }
            do throws(SQLiteError) { return try body(connection) } catch { throw error.logError }
        }
    }
}
