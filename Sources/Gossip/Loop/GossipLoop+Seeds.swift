import struct Sharding.PeerAddress

extension GossipLoop {
    /// Names are looked up so often while this node is alone, and so often otherwise.
    private static let lookupPeriod = (alone: Duration.seconds(2), inCompany: Duration.seconds(30))

    /// In place of the one stand-in that `Membership` knows.
    func greetSeeds(_ frame: [UInt8]) {
        lookUpSeeds()
        let chosen = seeds.choose(except: present, using: &random)
        // When nothing is known yet, the answer of the lookup is waited for.
        greeting = chosen.isEmpty && !seeds.names.isEmpty ? frame : nil
        for address in chosen { open(address, frame) }
    }

    func lookUpSeeds() {
        guard !seeds.names.isEmpty, now >= nextLookup else { return }
        nextLookup = now + (present.count > 1 ? Self.lookupPeriod.inCompany : Self.lookupPeriod.alone)
        askResolver()
    }

    func take(_ answer: SeedResolver.Answer) {
        for failure in answer.failures { tell(.unresolved(name: "\(failure.name)", reason: failure.reason)) }
        // Better an old answer than none: the name service may fail just when the network does.
        if !answer.addresses.isEmpty { seeds.resolved = answer.addresses }
        guard let frame = greeting else { return }
        greeting = nil
        for address in seeds.choose(except: present, using: &random) { open(address, frame) }
    }

    /// This node's address and those of all who are not dead.
    private var present: Set<PeerAddress> {
        Set(membership.members.filter { $0.status <= .suspect }.map(\.address))
    }
}
