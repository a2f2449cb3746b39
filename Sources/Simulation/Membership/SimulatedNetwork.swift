/// What the network between simulated nodes does to what they send.
package struct SimulatedNetwork: Sendable {
    /// Share of datagrams that vanish. Connections are not affected: TCP sends again.
    package var loss = 0.0
    /// One way; drawn anew for each packet, so packets overtake each other.
    package var latency: ClosedRange<Duration> = .microseconds(100)...(.milliseconds(2))
    /// One way each: what the first send to the second does not arrive.
    package private(set) var blocked: [(from: Set<Int>, to: Set<Int>)] = []

    package init() {}

    package mutating func block(from: Set<Int>, to: Set<Int>) { blocked.append((from, to)) }
    package mutating func heal() {
        blocked = []
        loss = 0
    }

    func carries(from: Int, to: Int) -> Bool {
        !blocked.contains { $0.from.contains(from) && $0.to.contains(to) }
    }

    func delay(using random: inout some RandomNumberGenerator) -> Duration {
        latency.lowerBound + (latency.upperBound - latency.lowerBound) * Double.random(in: 0..<1, using: &random)
    }
}

/// A node that is given the processor only now and then: it stands still, then runs for a while, and so on.
package struct Starvation: Sendable {
    package var stall: ClosedRange<Duration>
    package var run: ClosedRange<Duration>

    package init(stall: ClosedRange<Duration>, run: ClosedRange<Duration>) {
        self.stall = stall
        self.run = run
    }

    /// Still for half a second on average, then a tenth of a second of work.
    package static let hard = Starvation(
        stall: .milliseconds(50)...(.milliseconds(950)), run: .milliseconds(20)...(.milliseconds(200)))

    /// As on a machine with too many busy processes: a few ms of work, then the others' turn.
    package static let busy = Starvation(
        stall: .milliseconds(20)...(.milliseconds(200)), run: .milliseconds(1)...(.milliseconds(20)))

    static func draw(_ range: ClosedRange<Duration>, using random: inout some RandomNumberGenerator) -> Duration {
        range.lowerBound + (range.upperBound - range.lowerBound) * Double.random(in: 0..<1, using: &random)
    }
}
