import Client
import Delivery
import Sharding
import Simulation
import Telemetry

/// A program with the SDK: it subscribes and checks what it gets, or it publishes.
final class SimulatedClient {
    enum Role {
        case subscriber(SubscriptionSession)
        case publisher(PublisherSession)
    }
    let number: Int
    var role: Role
    let request: SubscribeRequest?
    var scheduledWake = Duration.never
    /// The node each url leads to, in the order in which this client tries them.
    let urls: [Int]
    var wire: Int?
    /// Per stream and kind: what came last.
    var last: [StreamID: [UInt64?]] = [:]
    /// Streams of which it was told that it cannot have all, and from where on it has.
    var resynced: [StreamID: UInt64] = [:]
    var isReading = true
    /// Of a publisher: how much it has to send still.
    var remaining = 0
    /// Of a publisher: the numbers of the records in each publish.
    var published: [[UInt64]] = []

    init(number: Int, role: Role, request: SubscribeRequest?, urls: [Int], remaining: Int = 0) {
        (self.number, self.role, self.request, self.urls) = (number, role, request, urls)
        self.remaining = remaining
    }

    var deadline: Duration? {
        switch role {
        case .subscriber(let session): session.deadline
        case .publisher(let session): session.deadline
        }
    }
}
