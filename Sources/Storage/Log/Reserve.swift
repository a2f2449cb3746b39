import Glibc

/// Some room kept on the disk for the one thing that must work when it is full: removing old records, which needs a
/// little of the WAL before it gives anything back.
struct Reserve: Sendable {
    private static let bytes = 512 << 10
    let path: String

    /// Takes the room, if there is any; without it retention has to wait for the operator.
    func take() {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        if posix_fallocate(descriptor, 0, off_t(Reserve.bytes)) != 0 { ftruncate(descriptor, 0) }
        close(descriptor)
    }

    func give() { unlink(path) }
}
