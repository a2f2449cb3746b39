import Client
import Delivery
import Sharding
import Simulation
import Telemetry

/// A program with the SDK: it subscribes and checks what it gets, or it publishes. It has one session of the two.
final class SimulatedClient {
    let number: Int
    var subscriber: SubscriptionSession?
    var publisher: PublisherSession?
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

    init(number: Int, _ subscriber: SubscriptionSession, _ request: SubscribeRequest, urls: [Int]) {
        (self.number, self.subscriber, self.request, self.urls) = (number, subscriber, request, urls)
    }

    init(number: Int, _ publisher: PublisherSession, urls: [Int], remaining: Int) {
        (self.number, self.publisher, self.urls, self.remaining) = (number, publisher, urls, remaining)
        request = nil
    }

    var deadline: Duration? { subscriber?.due() ?? publisher?.due() }
}

// Mutating, so that the session is looked at where it is: a class's struct is copied for its getters.

extension SubscriptionSession {
    fileprivate mutating func due() -> Duration? { deadline }
}

extension PublisherSession {
    fileprivate mutating func due() -> Duration? { deadline }
}
