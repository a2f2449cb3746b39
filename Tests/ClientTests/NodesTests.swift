@testable import Client
import Simulation
import Testing

/// What a client makes of what nodes tell about other nodes.
@Suite struct NodesTests {
    private var random = SeededRandom(seed: 5)
    private let first = ConnectionID(1)

    private mutating func opened(urls: Int = 1) -> Link {
        var link = Link(urlCount: urls, timing: Timing())
        _ = link.start(at: .zero)
        _ = link.opened(first, at: .zero)
        link.proved()
        return link
    }

    private func nodes(_ urls: [String], here: Bool = false, direct: Int = 1) -> NodeList {
        NodeList(isHere: here, direct: direct, urls: urls)
    }

    private func connects(_ effects: [Link.Effect]) -> [Destination] {
        effects.compactMap { if case .connect(_, let address) = $0 { address } else { nil } }
    }

    /// Fails until all that is tried at once has been.
    private mutating func failAll(_ link: inout Link, from id: Int, at now: Moment) -> [Destination] {
        var tried: [Destination] = []
        for number in id... {
            let effects = link.lost(ConnectionID(number), .broken(reason: "refused"), at: now, using: &random)
            guard let next = connects(effects).first else { return tried }
            tried.append(next)
        }
        return tried
    }

    /// Wakes the link whenever it wants, and keeps the connection alive, until it connects or `end`.
    private mutating func run(_ link: inout Link, until end: Moment) -> [Link.Effect] {
        while let due = link.deadline, due <= end {
            if let id = link.connection { link.heard(id, at: due) }
            let effects = link.wake(at: due, using: &random)
            if !connects(effects).isEmpty { return effects }
        }
        return []
    }

    @Test mutating func `a client goes to a node that has its streams, beside the connection it has`() {
        var link = opened()
        link.learn(nodes(["ws://b", "ws://c"]), at: .zero, using: &random)
        let effects = run(&link, until: .seconds(1))
        #expect(effects == [.connect(ConnectionID(2), to: .told(url: "ws://b"))])
        #expect(link.connection == first)
        _ = link.opened(ConnectionID(2), at: .seconds(1))
        let change = link.succeed(ConnectionID(2), at: .seconds(1))
        #expect(change.contains(.report(.connected(to: .told(url: "ws://b")))))
        #expect(change.contains(.disconnect(first, code: 1000, reason: "moved")))
    }

    @Test mutating func `it stays where its streams are, or where nobody has them all`() {
        for list in [nodes(["ws://b"], here: true), nodes(["ws://b"], direct: 0), nodes([])] {
            var link = opened()
            link.learn(list, at: .zero, using: &random)
            #expect(run(&link, until: .seconds(60)).isEmpty)
        }
    }

    @Test mutating func `of old news only the address book is kept once there is better`() {
        var link = opened()
        link.learn(nodes(["ws://b"]), at: .zero, using: &random)
        link.learn(nodes(["ws://b"], here: true), at: .zero, using: &random)
        #expect(run(&link, until: .seconds(60)).isEmpty)
    }

    @Test mutating func `addresses that lead nowhere cost it nothing, and are tried more and more seldom`() {
        var link = opened()
        var attempts: [Moment] = []
        var now = Moment.zero
        while now < .seconds(1_000) {
            link.learn(nodes(["ws://b"]), at: now, using: &random)
            guard run(&link, until: .seconds(2_000)).first != nil, let until = link.successor?.until else { break }
            attempts.append(now)
            now = until
            link.heard(first, at: now)
            _ = link.wake(at: now, using: &random)
            #expect(link.connection == first && link.successor == nil)
        }
        #expect((5...10).contains(attempts.count))
    }

    @Test mutating func `two nodes that each take the other for better do not send it to and fro`() {
        var link = opened()
        var now = Moment.zero
        var changes = 0
        while now < .seconds(60) {
            link.learn(nodes([changes % 2 == 0 ? "ws://b" : "ws://a"]), at: now, using: &random)
            guard case .connect(let id, _)? = run(&link, until: .seconds(60)).first else { break }
            now = (link.successor?.until ?? now) - Timing().silence
            _ = link.opened(id, at: now)
            _ = link.succeed(id, at: now)
            changes += 1
        }
        #expect((2...7).contains(changes))
    }

    @Test mutating func `when its node dies it tries those it was told of where such an address has worked`() {
        var link = opened(urls: 2)
        link.learn(nodes(["ws://b", "ws://c"]), at: .zero, using: &random)
        _ = run(&link, until: .seconds(1))
        _ = link.opened(ConnectionID(2), at: .seconds(1))
        _ = link.succeed(ConnectionID(2), at: .seconds(1))
        link.proved()
        link.learn(nodes(["ws://a", "ws://c"], here: true), at: .seconds(1), using: &random)
        #expect(
            failAll(&link, from: 2, at: .seconds(2)) == [
                .told(url: "ws://a"), .told(url: "ws://c"), .listed(1), .listed(0), .told(url: "ws://b"),
            ])
    }

    @Test mutating func `addresses that never worked come after those the program gave`() {
        var link = opened(urls: 2)
        link.learn(nodes(["ws://b", "ws://c"], here: true), at: .zero, using: &random)
        #expect(
            failAll(&link, from: 1, at: .seconds(2)) == [
                .listed(1), .listed(0), .told(url: "ws://b"), .told(url: "ws://c"),
            ])
    }

    @Test mutating func `a node that goes while the client is about to change names better ones`() {
        var link = opened()
        link.learn(nodes(["ws://b"]), at: .zero, using: &random)
        _ = run(&link, until: .seconds(1))
        #expect(link.move(to: ["ws://c"], at: .seconds(1)).isEmpty)
        let effects = link.lost(ConnectionID(2), .broken(reason: "refused"), at: .seconds(1), using: &random)
        #expect(connects(effects) == [.told(url: "ws://c")])
    }

    @Test func `a subscription goes on at the better node, and nothing comes twice or is left out`() async throws {
        let node = ScriptedNode()
        var iterator = node.client().updates(of: "chassis/A").makeAsyncIterator()
        let old = try #require(await node.nextConnection())
        old.open()
        #expect(await old.heard() != nil)
        old.subscribed(at: 0)
        old.points(after: 0, through: 3)
        #expect(try await iterator.next()?.seq == 3)
        old.say(#"{"type":"nodes","here":false,"direct":1,"to":["ws://b","ws://c"]}"#)
        let keeper = Task {
            while !Task.isCancelled {
                old.say(#"{"type":"heartbeat","positions":{}}"#)
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        let new = try #require(await node.nextConnection())
        keeper.cancel()
        #expect(new.address == .told(url: "ws://b"))
        new.open()
        #expect(await new.heard()?.contains(#""seq":3,"#) == true)
        old.points(after: 3, through: 5)
        #expect(try await iterator.next()?.seq == 5)
        new.subscribed(at: 3)
        #expect(old.isClosed)
        new.points(after: 3, through: 6)
        guard case .telemetry(let update)? = try await iterator.next() else { return #expect(Bool(false)) }
        #expect(update.points.map(\.seq) == [6])
    }
}
