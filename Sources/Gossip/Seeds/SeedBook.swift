import struct Sharding.PeerAddress

/// Where other nodes may be: addresses as given, and those that names stood for when last looked up.
///
/// `Membership` decides when to greet a seed, but takes its seeds once; the addresses behind names change. So it is given
/// one stand-in for them all, and the shell greets in its place whoever the book has at the time.
struct SeedBook: Sendable {
    /// No node is ever there.
    static let standIn = PeerAddress(high: 0, low: 0, port: 0)
    /// Greeted at a time.
    static let greetedMax = 3

    let fixed: [PeerAddress]
    var resolved: [PeerAddress] = []
    let names: [HostPort]

    var isEmpty: Bool { fixed.isEmpty && names.isEmpty }

    /// - Parameter known: this node and those it is in touch with already.
    func choose(except known: Set<PeerAddress>, using random: inout some RandomNumberGenerator) -> [PeerAddress] {
        let unknown = Set(fixed + resolved).subtracting(known)
        return Array(unknown.shuffled(using: &random).prefix(Self.greetedMax))
    }

    func contains(_ address: PeerAddress) -> Bool { fixed.contains(address) || resolved.contains(address) }
}
