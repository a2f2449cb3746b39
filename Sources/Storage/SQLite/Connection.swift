import CSQLite

/// Owns one SQLite connection and closes it exactly once.
///
/// `@unchecked Sendable`: it is opened without SQLite's own mutex and may change threads, but its owner lets one thread
/// at a time use it.
final class Connection: @unchecked Sendable {
    let path: String
    private let handle: OpaquePointer
    private let walPages = UnsafeMutablePointer<Int32>.allocate(capacity: 1)
    let pageBytes = 4_096

    enum Mode { case readWrite, readOnly }

    init(_ path: String, _ mode: Mode = .readWrite) throws(SQLiteError) {
        self.path = path
        let access = mode == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteError(opened, code: code, path: path)
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        walPages.initialize(to: 0)
        sqlite3_busy_timeout(handle, 5_000)
    }

    /// Statements that are still alive keep the connection until they are gone.
    deinit {
        sqlite3_wal_hook(handle, nil, nil)
        sqlite3_close_v2(handle)
        walPages.deallocate()
    }

    /// How long the WAL was after this connection's last commit, if `watchWAL` was called before.
    var walBytes: Int { Int(walPages.pointee) * pageBytes }

    /// Takes the place of SQLite's automatic checkpoints.
    func watchWAL() {
        let note: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, UnsafePointer<CChar>?, Int32) -> Int32 = {
            $0?.storeBytes(of: $3, as: Int32.self)
            return SQLITE_OK
        }
        sqlite3_wal_hook(handle, note, walPages)
    }

    /// Runs statements without parameters; rows they give are dropped.
    func execute(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code) }
    }

    func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw error(code) }
        return Statement(statement, of: self)
    }

    /// Prepares a statement and runs it once. The blob, if there is one, comes after the numbers.
    func run(_ sql: String, _ values: Int64..., blob: [UInt8]? = nil) throws(SQLiteError) {
        let statement = try prepare(sql)
        try statement.bind(values)
        try statement.run(blob: blob, at: Int32(values.count + 1))
    }

    /// The first column of the first row; `nil` when there is no row or the column is NULL.
    func integer(_ sql: String) throws(SQLiteError) -> Int64? {
        let statement = try prepare(sql)
        return try statement.step() ? statement.optionalInteger(0) : nil
    }
    func text(_ sql: String) throws(SQLiteError) -> String? {
        let statement = try prepare(sql)
        return try statement.step() ? statement.text(0) : nil
    }

    /// Runs `body` in a write transaction: all of it or nothing.
    func transaction<Value>(_ body: () throws(SQLiteError) -> Value) throws(SQLiteError) -> Value {
        try execute("BEGIN IMMEDIATE")
        do throws(SQLiteError) {
            let value = try body()
            try execute("COMMIT")
            return value
        } catch {
            // SQLite may have rolled back by itself, which is when this answers with an error of no interest.
            if sqlite3_get_autocommit(handle) == 0 { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
            throw error
        }
    }

    /// How much of the WAL there is and how much of it is in the database file, both in pages.
    struct Checkpoint {
        let pages: Int
        let moved: Int
        var isComplete: Bool { pages == moved }
    }

    /// Moves what can be moved without waiting for anyone.
    func checkpoint() throws(SQLiteError) -> Checkpoint {
        var pages: Int32 = 0
        var moved: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved)
        guard code == SQLITE_OK || code == SQLITE_BUSY else { throw error(code) }
        return Checkpoint(pages: Int(pages), moved: Int(moved))
    }

    func error(_ code: Int32) -> SQLiteError { SQLiteError(handle, code: code, path: path) }
}
