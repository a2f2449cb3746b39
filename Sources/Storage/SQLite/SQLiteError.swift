import CSQLite
import Glibc
import Replication

/// What SQLite answered instead of doing what it was asked.
struct SQLiteError: Error {
    /// The extended result code.
    let code: Int32
    /// Of the last system call that failed; 0 when none did.
    let systemError: Int32
    let message: String
    let path: String

    init(_ handle: OpaquePointer?, code: Int32, path: String) {
        self.code = handle.map { sqlite3_extended_errcode($0) } ?? code
        systemError = handle.map { sqlite3_system_errno($0) } ?? 0
        message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        self.path = path
    }

    private var primaryCode: Int32 { code & 255 }
    private var isWriting: Bool {
        // SQLITE_IOERR_WRITE, _FSYNC, _DIR_FSYNC, _TRUNCATE, _SHMSIZE: macros with arguments are not imported.
        [3, 4, 5, 6, 19].contains { code == SQLITE_IOERR | $0 << 8 }
    }
    private var isNoSpace: Bool { [ENOSPC, EDQUOT].contains(systemError) }

    var isDamage: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }

    /// What a caller of the log can do about it.
    var logError: LogError {
        if primaryCode == SQLITE_FULL || isWriting && isNoSpace { return .full(reason: "\(path): \(message)") }
        if isDamage { return .io(reason: "\(path) is damaged (\(message)); move it away or restore a copy") }
        let system = systemError == 0 ? "" : " (\(String(cString: strerror(systemError))))"
        return .io(reason: "\(path): \(message)\(system)")
    }
}
