import CSQLite

/// Owns one prepared statement. Used by one thread at a time, like its connection, which it keeps alive.
final class Statement: @unchecked Sendable {
    private let handle: OpaquePointer
    private let connection: Connection

    init(_ handle: OpaquePointer, of connection: Connection) {
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    /// Binds whole numbers to the parameters from the first on.
    func bind(_ values: Int64...) throws(SQLiteError) { try bind(values) }

    func bind(_ values: [Int64]) throws(SQLiteError) {
        for (index, value) in values.enumerated() {
            try check(sqlite3_bind_int64(handle, Int32(index + 1), value))
        }
    }

    func bind(_ text: String, at index: Int32) throws(SQLiteError) {
        let code = text.utf8.withContiguousStorageIfAvailable {
            sqlite3_bind_text(
                handle, index, UnsafeRawPointer($0.baseAddress)?.assumingMemoryBound(to: CChar.self),
                Int32($0.count), transient)
        }
        try check(code ?? sqlite3_bind_text(handle, index, text, -1, transient))
    }

    /// - Returns: whether there is a row.
    func step() throws(SQLiteError) -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else {
            let error = connection.error(code)
            sqlite3_reset(handle)
            throw error
        }
        return false
    }

    /// Runs a statement that gives no rows, with what is bound, and makes it ready for the next time.
    func run() throws(SQLiteError) {
        _ = try step()
        sqlite3_reset(handle)
    }

    /// As `run()`, with `blob` bound without being copied.
    func run(blob: [UInt8]?, at index: Int32) throws(SQLiteError) {
        guard let blob else { return try run() }
        let result = blob.withUnsafeBytes { bytes in
            Result { () throws(SQLiteError) in
                let code =
                    bytes.isEmpty
                    ? sqlite3_bind_zeroblob(handle, index, 0)
                    : sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), nil)
                try check(code)
                try run()
            }
        }
        // What was bound is gone after this.
        sqlite3_clear_bindings(handle)
        try result.get()
    }

    /// Ends the reading that `step` began.
    func reset() { sqlite3_reset(handle) }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func optionalInteger(_ column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : integer(column)
    }
    func text(_ column: Int32) -> String? { sqlite3_column_text(handle, column).map { String(cString: $0) } }

    /// Valid until the next step or reset.
    func blob(_ column: Int32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: sqlite3_column_blob(handle, column), count: Int(sqlite3_column_bytes(handle, column)))
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw connection.error(code) }
    }
}

/// SQLITE_TRANSIENT: SQLite makes its own copy.
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
