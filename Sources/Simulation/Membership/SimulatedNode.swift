import Sharding

/// One node of a simulated cluster: the real `Membership`, and what its machine does to it.
struct SimulatedNode {
    let id: NodeID
    let address: PeerAddress
    /// `nil` while the process is dead.
    var membership: Membership?
    /// Its machine lives on, and says to what comes that nobody listens.
    var refuses = false
    /// Which life this is; what was sent to or due in an earlier one is void.
    var life = 0
    /// How far its monotonic clock is ahead of the simulation's.
    var clockOffset = Duration.zero
    var starvation: Starvation?
    var isStalled = false
    /// Arrived while it stood still; as much as a socket's buffer holds.
    var inbox: [Membership.Event] = []
    static let inboxMax = 2_000
    /// When the next tick is due in the queue of events.
    var scheduled = Duration.never
}

/// What a node came to believe.
package struct Observation: Sendable {
    package let time: Duration
    package let observer: Int
    package let subject: Int
    package let change: Membership.Change
    /// The subject runs and is said to be dead: in this life, not a former one.
    package let isFalseDeath: Bool
}
