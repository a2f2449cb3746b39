import Glibc

/// Owns one file descriptor and closes it exactly once.
final class Descriptor: Sendable {
    let number: Int32

    /// - Parameter number: what a system call returned; negative is an error.
    init(_ number: Int32, attempt: String) throws(GossipError) {
        guard number >= 0 else { throw .system(attempt: attempt, reason: systemReason(errno)) }
        self.number = number
    }

    deinit { close(number) }

    /// Non-blocking, and not inherited by processes started from here.
    static func socket(_ family: Int32, _ type: __socket_type) throws(GossipError) -> Descriptor {
        let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let number = Glibc.socket(family, Int32(type.rawValue | flags), 0)
        return try Descriptor(number, attempt: "opening a socket for gossip")
    }

    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// For descriptors that were not opened so.
    func makeNonBlocking() {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    }
}

func systemReason(_ code: Int32) -> String { String(cString: strerror(code)) }
