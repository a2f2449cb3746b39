/// How fast membership works. The same on all nodes of a cluster, though it harms none but itself where it is not.
package struct SwimTiming: Equatable, Sendable {
    /// One node is probed in each.
    package var probeInterval: Duration
    /// Time for a direct answer; then go-betweens are asked. Longer while this node is unwell (`LocalHealth`).
    package var probeTimeout: Duration
    /// Time for any answer. The next probe waits for it where it is longer than the interval.
    package var probePatience: Duration
    package var indirectProbes: Int
    /// Whether target and go-betweens are asked again every `probeTimeout` until the time is up: a lost packet is no silence.
    package var repeatsProbes: Bool
    /// A piece of gossip goes out this × log10(nodes + 1), rounded up, times.
    package var retransmitMultiplier: Int
    /// Shortest suspicion: this × probe interval × log10(nodes), at least 1; and never less than `suspicionFloor`.
    package var suspicionMultiplier: Double
    /// Longer than a starved node stands still, with time to deny it. Only silence has to last so long: see `refusedMin`.
    package var suspicionFloor: Duration
    /// Longest suspicion, when nobody confirms it: this × the shortest.
    package var suspicionMaxMultiplier: Double
    /// Independent accusers beyond the first that bring a suspicion down to the shortest.
    package var confirmations: Int
    package var gossipInterval: Duration
    package var gossipFanout: Int
    /// Whole state exchanged with one node over TCP.
    package var syncInterval: Duration
    /// Worst score of `LocalHealth`.
    package var healthMax: Int
    /// How many nodes, on average, check a suspicion they hear of at their next probe; a dead node is confirmed dead sooner.
    package var verifiers: Int
    /// A suspect whose machine says that nobody listens at its port, and says so again this much later, is dead: its process
    /// has ended. `nil`: what a machine says counts for nothing.
    package var refusedMin: Duration?
    /// News waits this long for company instead of for the next `gossipInterval`.
    package var urgentGossipDelay: Duration?
    /// A tick later than this means this node stood still and could not hear: it accuses nobody of silence meanwhile.
    package var pauseMax: Duration?
    /// How often a dead node is asked whether it is dead, and a lone node looks for its seeds.
    package var reconnectInterval: Duration
    /// How long the dead and those who left are remembered, so that late gossip does not revive them.
    package var tombstoneLifetime: Duration

    /// A process that ended is known to be dead within a second, a silent machine within two and a half
    /// (docs/performance.md).
    package static let standard = SwimTiming(
        probeInterval: .milliseconds(120), probeTimeout: .milliseconds(50), probePatience: .milliseconds(300),
        indirectProbes: 3, repeatsProbes: true, retransmitMultiplier: 5, suspicionMultiplier: 4,
        suspicionFloor: .milliseconds(1_300), suspicionMaxMultiplier: 6, confirmations: 3,
        gossipInterval: .milliseconds(100), gossipFanout: 3, syncInterval: .seconds(15), healthMax: 8, verifiers: 6,
        refusedMin: .milliseconds(200),
        urgentGossipDelay: .milliseconds(10), pauseMax: .milliseconds(50), reconnectInterval: .seconds(1),
        tombstoneLifetime: .seconds(3_600))

    /// The defaults of hashicorp/memberlist (`DefaultLANConfig`), to measure beside ours.
    package static let memberlistLAN = SwimTiming(
        probeInterval: .seconds(1), probeTimeout: .milliseconds(500), probePatience: .seconds(1), indirectProbes: 3,
        repeatsProbes: false, retransmitMultiplier: 4,
        suspicionMultiplier: 4, suspicionFloor: .zero, suspicionMaxMultiplier: 6, confirmations: 2,
        gossipInterval: .milliseconds(200), gossipFanout: 3, syncInterval: .seconds(30), healthMax: 8, verifiers: 0,
        refusedMin: nil, urgentGossipDelay: nil, pauseMax: nil, reconnectInterval: .seconds(30),
        tombstoneLifetime: .seconds(3_600))

    /// - Parameter nodes: how many are in the cluster.
    func suspicionMin(nodes: Int) -> Duration {
        let scaled = probeInterval * (suspicionMultiplier * max(1, Logarithm.natural(nodes) / Logarithm.natural(10)))
        return max(suspicionFloor, scaled)
    }
    /// More nodes have more to say to each other: above 32 they exchange everything the more rarely.
    ///
    /// Source: `pushPullScale` of hashicorp/memberlist.
    func syncPeriod(nodes: Int) -> Duration {
        let doublings = (Logarithm.natural(nodes) - Logarithm.natural(32)) / Logarithm.natural(2)
        return syncInterval * (1 + max(0, doublings.rounded(.up)))
    }
    func retransmitLimit(nodes: Int) -> Int {
        retransmitMultiplier * Int((Logarithm.natural(nodes + 1) / Logarithm.natural(10)).rounded(.up))
    }
}

/// The standard library has none, and the C library's may differ in the last digit.
enum Logarithm {
    /// Timings ask for these with every packet.
    private static let small = (0...256).map(series)

    /// - Parameter value: at least 1; less counts as 1.
    static func natural(_ value: Int) -> Double {
        small.indices.contains(value) ? small[value] : series(value)
    }

    private static func series(_ value: Int) -> Double {
        let number = Double(max(1, value))
        // ln(m·2ᵉ) = e·ln 2 + ln m, and ln m = 2·artanh((m − 1)/(m + 1)) with m in 1 ..< 2.
        let ratio = (number.significand - 1) / (number.significand + 1)
        var (term, sum) = (ratio, 0.0)
        for odd in stride(from: 1.0, through: 25, by: 2) {
            sum += term / odd
            term *= ratio * ratio
        }
        return Double(number.exponent) * 0.693_147_180_559_945_3 + 2 * sum
    }
}
