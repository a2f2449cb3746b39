@testable import Client
import Simulation
import Testing

/// When a link tries again, and where.
@Suite struct RetryTests {
    private var random = SeededRandom(seed: 11)

    /// Fails this often in a row.
    /// - Returns: per failure the wait, `nil` for none, and what is tried next.
    private mutating func fail(_ count: Int, urls: Int, with loss: Loss) -> [(wait: Duration?, next: Destination?)] {
        var link = Link(urlCount: urls, timing: Timing())
        var now = Moment.zero
        var effects = link.start(at: now)
        return (1...count).map { attempt in
            effects = link.lost(ConnectionID(attempt), loss, at: now, using: &random)
            var wait: Duration?
            for case .report(.retrying(let after)) in effects { wait = after }
            if let wait {
                now += wait
                effects = link.wake(at: now, using: &random)
            }
            for case .connect(_, let address) in effects { return (wait, address) }
            return (wait, nil)
        }
    }

    @Test mutating func `every address is tried once more before there is any wait`() {
        let tries = fail(5, urls: 3, with: .broken(reason: "refused"))
        #expect(tries.map(\.next) == [.listed(1), .listed(2), .listed(0), .listed(1), .listed(2)])
        #expect(tries.map { $0.wait == nil } == [true, true, true, false, false])
    }

    @Test mutating func `a single node that is catching up is asked again soon, at most every second`() {
        let waits = fail(40, urls: 1, with: .closed(code: 4013, reason: "catching up with the log")).compactMap(\.wait)
        #expect(waits.count == 40)
        #expect((.milliseconds(100)...(.milliseconds(250))).contains(waits[0]))
        #expect(waits.allSatisfy { $0 >= .milliseconds(100) && $0 <= .seconds(1) })
        #expect(waits.suffix(20).contains { $0 > .milliseconds(600) })
    }

    @Test mutating func `with several nodes one that is catching up is left for the next at once`() {
        let tries = fail(3, urls: 2, with: .closed(code: 4013, reason: "catching up with the log"))
        #expect(tries.map { $0.wait == nil } == [true, true, false])
        #expect(tries[0].next == .listed(1))
    }

    @Test mutating func `a node that says when to come back is not asked before, nor much later`() {
        let full = Loss.closed(code: 4013, reason: "too many subscriptions at once; retry after 400 ms")
        let alone = fail(10, urls: 1, with: full).map(\.wait)
        #expect(alone.allSatisfy { $0.map { (.milliseconds(400)...(.milliseconds(500))).contains($0) } == true })
        let several = fail(3, urls: 2, with: full)
        #expect(several[0].wait == nil && several[0].next == .listed(1))
        #expect(several[1].wait.map { $0 >= .milliseconds(400) } == true)
    }

    @Test(arguments: ["retry after", "retry after soon ms", "after 5 ms", "retry after -5 ms", ""])
    func `a reason without a time is no hint`(reason: String) {
        #expect(Loss.closed(code: 4013, reason: reason).retryHint == nil)
    }
}
