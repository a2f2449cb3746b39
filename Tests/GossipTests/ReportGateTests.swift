import Sharding
import Testing

@testable import Gossip

@Suite struct ReportGateTests {
    private var gate = ReportGate()

    private func malformed(_ host: UInt32, port: UInt16 = 1) -> GossipReport {
        .membership(.malformed(from: PeerAddress(ipv4: host, port: port), .version(9)))
    }

    private mutating func told(_ reports: (GossipReport, Duration)...) -> [Bool] {
        reports.map { gate.admits($0, at: $1) }
    }

    @Test mutating func `the same about one peer is told once in ten seconds, from whatever port it comes`() {
        let told = told(
            (malformed(1), .zero), (malformed(1, port: 2), .seconds(9)), (malformed(2), .seconds(9)),
            (malformed(1), .seconds(10)))
        #expect(told == [true, false, true, true])
    }

    @Test mutating func `any number of peers of one kind hides no other kind, and is bounded itself`() {
        var count = 0
        for host in UInt32(0)..<10_000 where gate.admits(malformed(host), at: .milliseconds(Int(host / 10))) {
            count += 1
        }
        #expect(count == ReportGate.peersMax)
        let clash = GossipReport.membership(.clash(with: PeerAddress(ipv4: 1, port: 1)))
        let told = told(
            (clash, .seconds(1)), (.membership(.paused(.seconds(1))), .seconds(1)),
            (.membership(.refuted(.dead)), .seconds(1)), (malformed(77), .seconds(2)), (malformed(77), .seconds(11)))
        #expect(told == [true, true, true, false, true])
    }

    @Test mutating func `a node told that it was suspect is also told that it was dead`() {
        let (suspect, dead) = (GossipReport.membership(.refuted(.suspect)), GossipReport.membership(.refuted(.dead)))
        let told = told((suspect, .zero), (dead, .zero), (dead, .seconds(1)))
        #expect(told == [true, true, false])
    }
}
