/// How a client behaves. The defaults suit one node on a good network.
public struct ClientSettings: Sendable, Equatable {
    /// A connection that says nothing for this long is dead; nodes send something four times a second. Lower finds a
    /// frozen node sooner, higher bears worse networks.
    public var silenceTimeout: Duration = .seconds(1)
    /// From the start of an attempt until the connection is open.
    public var connectTimeout: Duration = .seconds(3)
    /// After a loss the client tries at once, on another node if it knows one. Then it waits, drawn evenly from 0 to
    /// this, doubled with each attempt up to `backoffCap`.
    public var backoffBase: Duration = .milliseconds(50)
    public var backoffCap: Duration = .seconds(5)
    /// Updates that wait for the program, per sequence, in bytes. Beyond it nothing more is read from the connection.
    public var bufferBytes = 8 << 20
    /// What a publisher keeps unacknowledged at most, in bytes and in records. Beyond it `publish` waits.
    public var publisherBytes = 32 << 20
    public var publisherRecords = 200_000

    public init() {}

    var timing: Timing {
        var timing = Timing()
        timing.silence = silenceTimeout
        timing.connectTimeout = connectTimeout
        timing.backoffBase = backoffBase
        timing.backoffCap = backoffCap
        return timing
    }
}

struct PublisherLimits: Sendable {
    let waitingBytes: Int
    let waitingRecords: Int
}
