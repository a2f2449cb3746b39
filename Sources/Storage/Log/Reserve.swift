import Glibc

/// Room kept on the disk for the one thing that must work when it is full: removing old records. Before that gives
/// anything back, what is in the WAL must go into the file, which may grow by as much as the WAL is long.
struct Reserve: Sendable {
    let path: String
    /// At least the length of the longest WAL.
    let bytes: Int

    /// Takes the room, if there is any; without it retention has to wait for the operator.
    func take() {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        if posix_fallocate(descriptor, 0, off_t(bytes)) != 0 { ftruncate(descriptor, 0) }
        close(descriptor)
    }

    func give() { unlink(path) }
}
