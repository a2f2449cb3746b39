import Glibc

/// Small frames leave at once instead of waiting for the acknowledgement of the one before.
func setNoDelay(_ fd: Int32) {
    setOption(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
}

func setSendBuffer(_ fd: Int32, bytes: Int) {
    setOption(fd, SOL_SOCKET, SO_SNDBUF, Int32(clamping: bytes))
}

/// Both are improvements, not conditions: a socket that refuses them works.
private func setOption(_ fd: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
    var value = value
    setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
}

/// Finds out why a server could not listen there, which the library does not tell.
func probe(host: String, port: Int) throws(WebError) {
    var address = sockaddr_storage()
    guard let length = fill(&address, host, port) else { throw .badHost(host) }
    let fd = socket(Int32(address.ss_family), Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard fd >= 0 else { throw .startFailed(reason: "no socket (\(String(cString: strerror(errno))))") }
    defer { close(fd) }
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
    let outcome = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, length) }
    }
    // Binding alone succeeds beside a listener with the same option; listening does not.
    guard outcome != 0 || listen(fd, 1) != 0 else { return }
    switch errno {
    case EADDRINUSE: throw .portInUse(host: host, port: port)
    case EACCES, EPERM: throw .notPermitted(host: host, port: port)
    case EADDRNOTAVAIL: throw .badHost(host)
    default: throw .startFailed(reason: "cannot listen on \(host):\(port) (\(String(cString: strerror(errno))))")
    }
}

/// - Returns: the length of the address, or nothing when `host` is no address.
private func fill(_ storage: inout sockaddr_storage, _ host: String, _ port: Int) -> socklen_t? {
    guard let port = UInt16(exactly: port) else { return nil }
    var v4 = sockaddr_in()
    if inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: v4, as: sockaddr_in.self) }
        return socklen_t(MemoryLayout<sockaddr_in>.size)
    }
    var v6 = sockaddr_in6()
    guard inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 else { return nil }
    v6.sin6_family = sa_family_t(AF_INET6)
    v6.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: v6, as: sockaddr_in6.self) }
    return socklen_t(MemoryLayout<sockaddr_in6>.size)
}
