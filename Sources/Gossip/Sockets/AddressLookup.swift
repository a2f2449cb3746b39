import Glibc
import struct Sharding.PeerAddress

/// Names to addresses, by whatever the machine asks. Blocks, for seconds at times.
enum AddressLookup {
    struct Failure: Error, Equatable { let reason: String }

    /// - Parameters:
    ///   - family: of the socket that is to reach them; one for IPv6 reaches both.
    ///   - isNumeric: only reads addresses, asks nobody, and so never blocks.
    /// - Returns: each address once, at least one.
    static func addresses(
        of name: HostPort, family: Int32, isNumeric: Bool = false
    ) throws(Failure) -> [PeerAddress] {
        var hints = addrinfo()
        hints.ai_family = family == AF_INET ? AF_INET : AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = isNumeric ? AI_NUMERICHOST : 0
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name.host, nil, &hints, &list)
        guard code == 0 else { throw Failure(reason: String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        let found = sequence(first: list, next: { $0?.pointee.ai_next }).compactMap { entry in
            entry?.pointee.ai_addr.flatMap { PeerAddress($0) }?.with(port: name.port)
        }
        guard !found.isEmpty else { throw Failure(reason: "it has no address of this family") }
        return found.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
