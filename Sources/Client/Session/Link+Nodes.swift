/// Which other nodes there are, and which of them have what a connection is about, as its node tells.
package struct NodeList: Equatable, Sendable {
    /// Whether the node that tells has it all itself. Otherwise it takes some of it from another, which costs a hop.
    package var isHere: Bool
    /// How many of the others have it all themselves: the first so many.
    package var direct: Int
    /// The others, the best first.
    package var urls: [String]

    package init(isHere: Bool, direct: Int, urls: [String]) {
        (self.isHere, self.direct, self.urls) = (isHere, direct, urls)
    }
}

/// A change to a node that has itself what this connection is about. Nothing is lost when it comes to nothing.
struct Relocation: Sendable, Equatable {
    var urls: [String]
    /// Clients of one stream do not all go at the same instant.
    let at: Moment
}

/// What a link makes of what nodes tell about others. All of it may be old or of no use from where the client is: a move
/// is made beside the connection there is, and an address is relied on when one such has worked.
extension Link {
    /// A node tells a few; more than this many are not kept.
    static let toldMax = 16
    private static let failedRelocationsMax = 6

    /// The node of the present connection tells of others.
    package mutating func learn(
        _ nodes: NodeList, at now: Moment, using random: inout some RandomNumberGenerator
    ) {
        told = Array(nodes.urls.prefix(Self.toldMax))
        let direct = Array(nodes.urls.prefix(min(nodes.direct, Self.toldMax)))
        guard !nodes.isHere, !direct.isEmpty else { return relocation = nil }
        let spread = timing.relocationSpread * Double.random(in: 0...1, using: &random)
        relocation = Relocation(urls: direct, at: relocation?.at ?? max(now, settledUntil) + spread)
    }

    /// To be called when `relocation` is due.
    mutating func relocate(at now: Moment) -> [Effect] {
        guard let relocation, connection != nil, successor == nil else { return [] }
        self.relocation = nil
        // Doubled while they come to nothing: the addresses may mean nothing where this client is.
        settledUntil = now + timing.relocationRest * (1 << failedRelocations)
        failedRelocations = min(failedRelocations + 1, Self.failedRelocationsMax)
        return seekSuccessor(relocation.urls.map { .told(url: $0) }[...], at: now, isRelocation: true)
    }

    /// A node that was told of serves.
    mutating func noteTold(_ address: Destination) {
        guard case .told = address else { return }
        (toldWorks, failedRelocations) = (true, 0)
    }

    /// Where to try after a connection was lost, the best first, the lost address itself last. What nodes told comes
    /// before what the program listed only where such an address has worked: it need not mean anything here.
    var route: [Destination] {
        let others = (1...urlCount).map { Destination.listed((listed + $0) % urlCount) }.filter { $0 != address }
        let told = told.map { Destination.told(url: $0) }.filter { $0 != address }
        return toldWorks ? told + others + [address] : others + [address] + told
    }
}
