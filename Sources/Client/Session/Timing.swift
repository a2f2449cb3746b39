/// How long a link waits for what.
package struct Timing: Sendable, Equatable {
    /// A connection that says nothing for this long is dead. A node sends something four times as often.
    package var silence: Duration = .seconds(1)
    /// From the start of an attempt until the WebSocket is open.
    package var connectTimeout: Duration = .seconds(3)
    /// The first wait is drawn from 0...this.
    package var backoffBase: Duration = .milliseconds(50)
    package var backoffCap: Duration = .seconds(5)
    /// A change to a better node begins within this time, drawn evenly, and the next one no earlier than `relocationRest`
    /// after it.
    package var relocationSpread: Duration = .seconds(1)
    package var relocationRest: Duration = .seconds(10)

    package init() {}

    /// A wait drawn evenly from 0 to base × 2ⁿ, at most the cap, so that clients that lost the same node do not come
    /// back at the same instant. Source: "Exponential Backoff And Jitter", AWS Architecture Blog (2015), "full jitter".
    func backoff(_ attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
        let doubled = backoffBase * (1 << min(max(attempt, 0), 30))
        return min(doubled, backoffCap) * Double.random(in: 0...1, using: &random)
    }

    /// A node that is up and not ready yet will be so in a moment: 100 to 250 ms, growing to four times that.
    /// - Parameter hint: what the node said; never earlier, and a little later so that not all come at once.
    func notReadyWait(
        _ attempt: Int, hint: Duration?, using random: inout some RandomNumberGenerator
    ) -> Duration {
        if let hint { return hint * Double.random(in: 1...1.25, using: &random) }
        let wait = Duration.milliseconds(Int.random(in: 100...250, using: &random))
        return wait * (1 + 0.25 * Double(min(max(attempt, 0), 12)))
    }
}

/// What a link tells about itself.
package enum ConnectionReport: Equatable, Sendable {
    case connected(to: Destination)
    case disconnected(reason: String)
    case retrying(after: Duration)
    /// A node left something out; the client asks for it again.
    case gap(stream: String, after: UInt64, before: UInt64)
}
