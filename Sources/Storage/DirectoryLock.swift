import Glibc
import Replication

/// Keeps a directory for one process. The system lets go of it when the process ends, however it ends.
///
/// `@unchecked`-free: the descriptor is a number that never changes.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Makes the directory, with those above it, when it is not there.
    init(_ directory: String) throws(LogError) {
        try makeDirectory(directory)
        let path = directory + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .io(reason: "cannot write in \(directory): \(systemMessage())") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = holder(descriptor)
            close(descriptor)
            throw .io(reason: "another node\(holder) uses \(directory); give each node a directory of its own")
        }
        let text = "\(getpid())\n"
        ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    deinit { close(descriptor) }
}

private func holder(_ descriptor: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    let digits = buffer.prefix(max(0, count)).prefix { $0 >= 0x30 && $0 <= 0x39 }
    return digits.isEmpty ? "" : " (process \(String(decoding: digits, as: UTF8.self)))"
}

private func makeDirectory(_ path: String) throws(LogError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
        made += part + "/"
        if mkdir(made, 0o755) != 0, errno != EEXIST, errno != EISDIR {
            // Read-only parents answer EROFS or EACCES even for what exists; only the last one has to be writable.
            guard access(made, F_OK) == 0 else { throw .io(reason: "cannot make \(made): \(systemMessage())") }
        }
    }
}

func systemMessage() -> String { String(cString: strerror(errno)) }
