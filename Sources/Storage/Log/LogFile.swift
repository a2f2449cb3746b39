import CSQLite
import Replication
import Telemetry

/// The tables of a log and the one connection that writes them. Whoever has the log's turn uses it, nobody else.
///
/// A row holds the records of one partition from one commit. Its id is partition and base offset in one number, so the
/// table's own tree is the only index there is, and a partition's rows lie together in offset order.
final class LogFile: Sendable {
    static let formatVersion: Int64 = 1

    let connection: Connection
    private let insertRow: Statement
    private let insertFirst: Statement
    private let updatePartition: Statement
    private let deleteRows: Statement
    private let selectOldest: Statement

    /// Opens the file or makes it.
    /// - Throws: `.io` when it was made for another topic or another number of partitions.
    init(_ path: String, topic: String, partitionCount: Int) throws(LogError) {
        do throws(SQLiteError) {
            connection = try Connection(path)
            try LogFile.prepare(connection)
            try connection.execute(LogFile.schema)
            insertRow = try connection.prepare("INSERT INTO batch VALUES (?,?,?,?,?,?,?,?,?,?)")
            insertFirst = try connection.prepare("INSERT INTO partition VALUES (?,?,?,?,?,?,0)")
            updatePartition = try connection.prepare(
                "UPDATE partition SET earliest = ?2, end = ?3, through = ?4 WHERE number = ?1")
            deleteRows = try connection.prepare("DELETE FROM batch WHERE id BETWEEN ? AND ?")
            selectOldest = try connection.prepare(
                "SELECT id, count, stored_at, through FROM batch WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?")
        } catch {
            throw error.logError
        }
        try checkSettings(topic: topic, partitionCount: partitionCount)
    }

    /// Debian's SQLite overwrites what is deleted with zeros unless told not to; retention would write every old page.
    private static func prepare(_ connection: Connection) throws(SQLiteError) {
        try connection.execute(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
            PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF
            """)
        connection.watchWAL()
    }

    private static let schema = """
        CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS partition (number INTEGER PRIMARY KEY, first_offset INTEGER, first_time INTEGER,
            first_key_hash INTEGER, earliest INTEGER, end INTEGER, through INTEGER);
        CREATE TABLE IF NOT EXISTS batch (id INTEGER PRIMARY KEY, count INTEGER, first_time INTEGER, last_time INTEGER,
            stored_at INTEGER, through INTEGER, size INTEGER, codec INTEGER, crc INTEGER, data BLOB);
        """

    private func checkSettings(topic: String, partitionCount: Int) throws(LogError) {
        let path = connection.path
        do throws(SQLiteError) {
            let insert = try connection.prepare("INSERT OR IGNORE INTO setting VALUES ('topic', ?)")
            try insert.bind(topic, at: 1)
            try connection.transaction { () throws(SQLiteError) in
                try insert.run()
                try connection.execute(
                    """
                    INSERT OR IGNORE INTO setting VALUES
                    ('partitions', \(partitionCount)), ('format', \(LogFile.formatVersion))
                    """)
            }
        } catch {
            throw error.logError
        }
        let format = try setting("format")
        guard format == "\(LogFile.formatVersion)" else {
            throw .io(reason: "\(path) has format \(format), this program writes \(LogFile.formatVersion)")
        }
        let count = try setting("partitions")
        guard count == "\(partitionCount)" else {
            throw .io(
                reason: "\(path) has \(count) partitions and cannot be opened with \(partitionCount): the place of"
                    + " every key would change; use \(count), or another directory")
        }
        let stored = try setting("topic")
        guard stored == topic else { throw .io(reason: "\(path) holds the topic \(stored), not \(topic)") }
    }

    private func setting(_ name: String) throws(LogError) -> String {
        try mapping { () throws(SQLiteError) in
            try connection.text("SELECT value FROM setting WHERE name = '\(name)'") ?? "none"
        }
    }

    private func mapping<Value>(_ body: () throws(SQLiteError) -> Value) throws(LogError) -> Value {
        do throws(SQLiteError) { return try body() } catch { throw error.logError }
    }
}

// MARK: What the log asks of it

extension LogFile {
    /// Stores all or nothing, durably.
    func store(_ rows: [LogRow], firsts: [(PartitionID, FirstRecord)]) throws(LogError) {
        try mapping { () throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                for (partition, first) in firsts {
                    try insertFirst.bind(
                        Int64(partition.number), first.offset.value, first.timestamp.microseconds,
                        Int64(bitPattern: first.keyHash), first.offset.value, first.offset.value)
                    try insertFirst.run()
                }
                for row in rows { try insert(row) }
            }
        }
    }

    private func insert(_ row: LogRow) throws(SQLiteError) {
        try insertRow.bind(
            RowID.of(row.partition, row.base), Int64(row.count), row.times.lowerBound.microseconds,
            row.times.upperBound.microseconds, row.storedAt.microseconds, row.through, Int64(row.size),
            Int64(row.codec.rawValue), Int64(row.checksum))
        try insertRow.run(blob: row.data, at: 10)
    }

    func limit(bytes: Int) throws(LogError) {
        try mapping { () throws(SQLiteError) in
            try connection.execute("PRAGMA max_page_count = \(max(1, bytes / connection.pageBytes))")
        }
    }

    /// Everything a log knows about a partition without reading records.
    struct Recovered {
        var earliest = Offset.zero
        var end = Offset.zero
        var through: Int64 = 0
        var first: FirstRecord?
    }

    func recover(_ partition: PartitionID) throws(LogError) -> Recovered {
        try mapping { () throws(SQLiteError) in
            var found = Recovered()
            let known = try connection.prepare(
                "SELECT first_offset, first_time, first_key_hash, earliest, end, through FROM partition WHERE number = ?"
            )
            try known.bind(Int64(partition.number))
            guard try known.step() else { return found }
            found.first = FirstRecord(
                offset: Offset(known.integer(0)), timestamp: Timestamp(microseconds: known.integer(1)),
                keyHash: UInt64(bitPattern: known.integer(2)))
            (found.earliest, found.end) = (Offset(known.integer(3)), Offset(known.integer(4)))
            found.through = known.integer(5)
            let newest = try connection.prepare(
                "SELECT id, count, through FROM batch WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1")
            try newest.bind(RowID.first(of: partition), RowID.last(of: partition))
            if try newest.step() {
                found.end = RowID.offset(newest.integer(0)) + Int(newest.integer(1))
                found.through = newest.integer(2)
            }
            return found
        }
    }

    /// A row as retention sees it.
    struct Age {
        let base: Offset
        let end: Offset
        let storedAt: Timestamp
        let through: Int64
    }

    func oldest(_ limit: Int, of partition: PartitionID) throws(LogError) -> [Age] {
        try mapping { () throws(SQLiteError) in
            try selectOldest.bind(RowID.first(of: partition), RowID.last(of: partition), Int64(limit))
            defer { selectOldest.reset() }
            var ages: [Age] = []
            while try selectOldest.step() {
                let base = RowID.offset(selectOldest.integer(0))
                ages.append(
                    Age(
                        base: base, end: base + Int(selectOldest.integer(1)),
                        storedAt: Timestamp(microseconds: selectOldest.integer(2)), through: selectOldest.integer(3)))
            }
            return ages
        }
    }

    /// Removes the rows before `earliest`. `end` and `through` are kept beside, for when no row is left to tell them.
    func remove(before earliest: Offset, of partition: PartitionID, end: Offset, through: Int64) throws(LogError) {
        try mapping { () throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                try deleteRows.bind(RowID.first(of: partition), RowID.of(partition, earliest) - 1)
                try deleteRows.run()
                try updatePartition.bind(Int64(partition.number), earliest.value, end.value, through)
                try updatePartition.run()
            }
        }
    }
}
