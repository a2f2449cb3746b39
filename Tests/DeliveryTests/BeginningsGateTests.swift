import Delivery
import Telemetry
import Testing

@Suite struct BeginningsGateTests {
    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(microseconds: milliseconds * 1_000) }

    @Test func `as many as in a second may come at once, then as many a second`() {
        var gate = BeginningsGate(perSecond: 100)
        #expect((0..<1_000).count { _ in gate.enter(at: time(0)) == nil } == 100)
        #expect(gate.refused == 900)
        #expect((0..<1_000).count { _ in gate.enter(at: time(500)) == nil } == 50)
        #expect((0..<1_000).count { _ in gate.enter(at: time(60_000)) == nil } == 100)
    }

    @Test func `those who come back when they were told are all taken in, without a crowd`() {
        var gate = BeginningsGate(perSecond: 200)
        var waiting = [Int64](repeating: 0, count: 3_000)
        var tries = 0
        var now: Int64 = 0
        while !waiting.isEmpty {
            now = waiting.min() ?? now
            waiting = waiting.compactMap { due in
                guard due <= now else { return due }
                tries += 1
                return gate.enter(at: Timestamp(microseconds: now)).map { now + $0 }
            }
        }
        #expect((13_000_000...20_000_000).contains(now))
        #expect(tries < 3 * 3_000 + 6_000)
    }

    @Test(arguments: [1, 3, 2_000, 1_000_000])
    func `whatever the limit one alone always may`(limit: Int) {
        var gate = BeginningsGate(perSecond: limit)
        for second in 1...5 { #expect(gate.enter(at: time(Int64(second) * 1_001)) == nil) }
    }

    @Test func `nobody waits longer than five seconds`() {
        var gate = BeginningsGate(perSecond: 1)
        let waits = (0..<100).compactMap { _ in gate.enter(at: time(0)) }
        #expect(waits.count == 99)
        #expect(waits.allSatisfy { $0 > 0 && $0 <= 5_000_000 })
    }
}
