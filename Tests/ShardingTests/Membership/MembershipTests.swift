import Sharding
import Simulation
import Testing

@Suite struct MembershipTests {
    private var random = SeededRandom(seed: 1)

    private mutating func running(_ name: String = "me", boot: UInt64 = 1_000, known: [Claim] = []) throws -> Membership
    {
        var membership = Membership(
            try node(name), at: address(1), boot: boot, settings: ClusterSettings([:]), known: known)
        _ = membership.handle(.start(seeds: []), at: .zero, using: &random)
        return membership
    }

    private func gossip(_ items: [Packet.Item], from sender: String = "other") throws -> Membership.Event {
        let packet = Packet(
            cluster: ClusterSettings([:]).hash, sender: try node(sender), message: .gossip, items: items)
        return .datagram(packet.bytes, from: address(9))
    }

    @Test mutating func `a claim that is older than what is known changes nothing`() throws {
        let other = try node("other")
        var membership = try running()
        let dead = Claim(other, .dead, Stamp(boot: 5, counter: 2), at: address(2))
        for claim in [
            dead, dead.marked(.alive), dead.marked(.suspect),
            Claim(other, .left, Stamp(boot: 5, counter: 1), at: address(2)),
        ] {
            _ = membership.handle(try gossip([.claim(claim)]), at: .seconds(1), using: &random)
        }
        #expect(membership.member(other)?.status == .dead)
    }

    @Test(arguments: [Claim.Status.dead, .left, .suspect])
    mutating func `a restarted node supersedes what was said of its former life`(status: Claim.Status) throws {
        let other = try node("other")
        var membership = try running()
        let before = Claim(other, status, Stamp(boot: 5, counter: 2), at: address(2))
        _ = membership.handle(try gossip([.claim(before)]), at: .seconds(1), using: &random)
        let reborn = Claim(other, .alive, Stamp(boot: 6, counter: 0), at: address(3))
        let effects = membership.handle(try gossip([.claim(reborn)]), at: .seconds(1), using: &random)
        #expect(membership.member(other)?.status == .alive)
        #expect(membership.member(other)?.address == address(3))
        #expect(effects.contains(.changed(other, .joined)))
    }

    @Test mutating func `a node denies its death with a larger incarnation, also one from a clock ahead of its own`()
        throws
    {
        var membership = try running(boot: 1_000)
        let rumour = Claim(try node("me"), .dead, Stamp(boot: 9_000, counter: 4), at: address(1))
        let effects = membership.handle(try gossip([.claim(rumour)]), at: .seconds(1), using: &random)
        #expect(membership.incarnation == Stamp(boot: 9_000, counter: 5))
        #expect(effects.contains(.report(.refuted(.dead))))
    }

    @Test mutating func `a ping for another node is not answered`() throws {
        var membership = try running()
        for (target, isAnswered) in [("me", true), ("former-owner-of-the-address", false)] {
            let ping = Packet(
                cluster: ClusterSettings([:]).hash, sender: try node("other"),
                message: .ping(3, target: try node(target)))
            let effects = membership.handle(.datagram(ping.bytes, from: address(9)), at: .zero, using: &random)
            #expect(effects.contains { if case .send = $0 { true } else { false } } == isAnswered)
        }
    }

    @Test mutating func `a table over the limit is refused and the one before stays`() throws {
        var membership = try running()
        _ = try membership.publish(.sample(shards: 1), at: .zero, using: &random)
        let before = membership.member(try node("me"))
        #expect(throws: NodeTableError.self) {
            try membership.publish(.sample(shards: 5_000), at: .zero, using: &random)
        }
        #expect(membership.member(try node("me")) == before)
    }

    @Test mutating func `a packet of another cluster, or none at all, is reported and has no other effect`() throws {
        var membership = try running()
        let other = try node("other")
        let claim = Claim(other, .alive, .zero, at: address(2))
        let foreign = Packet(cluster: 99, sender: other, message: .gossip, items: [.claim(claim)])
        #expect(
            membership.handle(.datagram(foreign.bytes, from: address(2)), at: .zero, using: &random)
                == [.report(.foreign(other, from: address(2)))])
        let broken = membership.handle(.datagram([1, 2, 3], from: address(2)), at: .zero, using: &random)
        #expect(broken == [.report(.malformed(from: address(2), .truncated(needed: 8, left: 2)))])
        #expect(membership.members.count == 1)
    }

    /// Lifeguard, section IV-B.
    @Test mutating func `a suspicion that others confirm ends sooner`() throws {
        let names = (0..<20).map { "n\($0)" }
        var lengths: [Duration] = []
        for accusers in [1, 2, 4] {
            let known = try names.map { Claim(try node($0), .alive, .zero, at: address(2)) }
            var membership = try running(known: known)
            let suspect = known[0]
            let claims = known[1...accusers].map { suspect.marked(.suspect, by: $0.node) }
            _ = membership.handle(try gossip(claims.map { .claim($0) }), at: .milliseconds(1), using: &random)
            while membership.member(suspect.node)?.status == .suspect {
                // Every other node answers; the suspect does not.
                let now = membership.deadline
                answer(membership.handle(.tick, at: now, using: &random), except: suspect.node, &membership, at: now)
                lengths.append(now)
            }
            lengths = lengths.suffix(1) + lengths.prefix(0)
            confirmed[accusers] = lengths.last
        }
        let one = try #require(confirmed[1]), two = try #require(confirmed[2]), four = try #require(confirmed[4])
        #expect(one > two && two > four)
        #expect(four < .milliseconds(1_400))
    }
    private var confirmed: [Int: Duration] = [:]

    private mutating func answer(
        _ effects: [Membership.Effect], except silent: NodeID, _ membership: inout Membership, at now: Duration
    ) {
        for case .send(let bytes, _) in effects {
            guard let packet = try? Packet(bytes), case .ping(let sequence, let target) = packet.message,
                target != silent
            else { continue }
            let ack = Packet(cluster: packet.cluster, sender: target, message: .ack(sequence))
            _ = membership.handle(.datagram(ack.bytes, from: address(2)), at: now, using: &random)
        }
    }

    @Test mutating func `a node with another setting is refused, and both are told which`() throws {
        var (old, new) = (
            Membership(try node("a"), at: address(1), boot: 1, settings: ClusterSettings(["replicas": "2"])),
            Membership(try node("b"), at: address(2), boot: 1, settings: ClusterSettings(["replicas": "3"]))
        )
        _ = old.handle(.start(seeds: []), at: .zero, using: &random)
        let greeting = new.handle(.start(seeds: [address(1)]), at: .zero, using: &random)
        guard case .open(address(1), let hello)? = greeting.first else {
            return #expect(Bool(false), "\(greeting)") as Void
        }
        let answer = old.handle(.frame(hello, on: .init(1), from: address(2)), at: .zero, using: &random)
        let refusal = JoinRefusal.settings(name: "replicas", joining: "3", cluster: "2")
        #expect(answer.contains(.report(.refusing(try node("b"), at: address(2), refusal))))
        guard case .reply(_, let frame, isLast: true)? = answer.first else {
            return #expect(Bool(false), "\(answer)") as Void
        }
        let told = new.handle(.frame(frame, on: .init(1), from: address(1)), at: .zero, using: &random)
        #expect(told.contains(.report(.refused(by: address(1), refusal))))
        #expect(old.members.count == 1 && new.members.count == 1)
    }
}
