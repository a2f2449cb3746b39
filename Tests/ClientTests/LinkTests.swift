@testable import Client
import Simulation
import Testing

@Suite struct LinkTests {
    private var random = SeededRandom(seed: 7)
    private let first = ConnectionID(1)

    private mutating func opened(urls: Int = 1) -> Link {
        var link = Link(urlCount: urls, timing: Timing())
        #expect(link.start(at: .zero) == [.connect(first, to: .listed(0))])
        #expect(link.opened(first, at: .zero) == [.report(.connected(to: .listed(0)))])
        return link
    }

    @Test mutating func `a lost connection is made again at once, on the next node`() {
        var link = opened(urls: 2)
        let effects = link.lost(first, .broken(reason: "reset"), at: .seconds(9), using: &random)
        #expect(effects == [.report(.disconnected(reason: "reset")), .connect(ConnectionID(2), to: .listed(1))])
    }

    @Test mutating func `after the second failure it waits, longer each time, up to the cap`() {
        var link = opened()
        var now = Moment.zero
        var waits: [Duration] = []
        for attempt in 1...30 {
            let effects = link.lost(ConnectionID(attempt), .broken(reason: "refused"), at: now, using: &random)
            for case .report(.retrying(let wait)) in effects {
                waits.append(wait)
                now += wait
                _ = link.wake(at: now, using: &random)
            }
        }
        #expect(waits.count == 29)
        #expect(waits[0] <= .milliseconds(50) && waits[1] <= .milliseconds(100))
        #expect(waits.allSatisfy { $0 <= .seconds(5) } && waits.contains { $0 > .seconds(2) })
    }

    @Test mutating func `waits of many clients are spread evenly`() {
        let timing = Timing()
        let waits = (0..<1_000).map { _ in timing.backoff(4, using: &random) }
        let early = waits.filter { $0 < .milliseconds(400) }.count
        #expect((400...600).contains(early))
    }

    /// When a connection that has nothing to say is asked whether it lives.
    private let untilPing = Timing().silence / 3

    @Test mutating func `a silent connection is pinged and then given up`() {
        var link = opened()
        #expect(link.deadline == untilPing)
        #expect(link.wake(at: untilPing, using: &random) == [.send(first, Array(#"{"type":"ping"}"#.utf8))])
        #expect(link.deadline == .seconds(1))
        let effects = link.wake(at: .seconds(1), using: &random)
        #expect(effects.contains(.connect(ConnectionID(2), to: .listed(0))))
        #expect(effects.contains { if case .disconnect(first, _, _) = $0 { true } else { false } })
    }

    @Test mutating func `whatever is heard keeps a connection alive`() {
        var link = opened()
        _ = link.wake(at: untilPing, using: &random)
        link.heard(first, at: .milliseconds(900))
        #expect(link.wake(at: .seconds(1), using: &random).isEmpty)
        #expect(link.deadline == .milliseconds(900) + untilPing)
    }

    @Test mutating func `silence means nothing while nobody reads`() {
        var link = opened()
        #expect(link.pause() == [.setReading(first, false)])
        #expect(link.deadline == nil)
        #expect(link.resume(at: .seconds(100)) == [.setReading(first, true)])
        #expect(link.deadline == .seconds(100) + untilPing)
    }

    @Test mutating func `a connection lost while nobody reads is made again when somebody does`() {
        var link = opened()
        _ = link.pause()
        #expect(link.lost(first, .closed(code: 4008, reason: "slow"), at: .seconds(10), using: &random).count == 1)
        #expect(link.deadline == nil)
        #expect(link.resume(at: .seconds(60)) == [.connect(ConnectionID(2), to: .listed(0))])
    }

    @Test mutating func `what an older connection still says is ignored`() {
        var link = opened()
        _ = link.lost(first, .broken(reason: "reset"), at: .zero, using: &random)
        #expect(link.opened(first, at: .zero).isEmpty)
        #expect(link.lost(first, .broken(reason: "late"), at: .zero, using: &random).isEmpty)
        #expect(link.opened(ConnectionID(2), at: .zero) == [.report(.connected(to: .listed(0)))])
    }

    @Test mutating func `an attempt without an answer ends`() {
        var link = Link(urlCount: 1, timing: Timing())
        _ = link.start(at: .zero)
        let effects = link.wake(at: .seconds(3), using: &random)
        #expect(effects.last == .connect(ConnectionID(2), to: .listed(0)))
    }

    @Test mutating func `a node that asks to come later is not asked before`() {
        var link = opened(urls: 2)
        _ = link.abandon(.postponed(reason: "busy", after: .seconds(4)), at: .seconds(1), using: &random)
        #expect(link.deadline.map { $0 >= .seconds(5) } == true)
    }

    @Test mutating func `closing is final`() {
        var link = opened()
        #expect(link.close() == [.disconnect(first, code: 1000, reason: "the client closes")])
        #expect(link.deadline == nil)
        #expect(link.start(at: .zero).isEmpty)
        #expect(link.lost(first, .broken(reason: "reset"), at: .zero, using: &random).isEmpty)
    }
}
