/// What happens to a session from outside: its connections and the time.
package enum LinkEvent: Sendable {
    case start
    case opened(ConnectionID)
    case received(ConnectionID, NodeMessage)
    /// What came is no message.
    case garbled(ConnectionID, MessageError)
    case lost(ConnectionID, Loss)
    /// `deadline` is reached.
    case wake
    case close
}

/// What a session wants done, in this order.
package enum SessionEffect<Output: Sendable>: Sendable {
    case link(Link.Effect)
    /// For the program.
    case output(Output)
}

/// A purpose for which connections are held: a subscription, or publishing.
///
/// Pure: events, the time and chance come in, effects go out.
package protocol Session: Sendable {
    associatedtype Output: Sendable
    typealias Effect = SessionEffect<Output>

    /// When it wants to be woken.
    var deadline: Moment? { get }

    mutating func handle(
        _ event: LinkEvent, at now: Moment, using random: inout some RandomNumberGenerator
    ) -> [Effect]
}

extension Loss {
    /// Why coming back would be of no use, if so.
    var verdict: SlipstreamError? {
        guard case .closed(code: 4000, let reason) = self else { return nil }
        return .protocolViolation("the node does not understand this client: \(reason)")
    }
}

extension ErrorMessage {
    var verdict: SlipstreamError {
        code == "unauthorised" ? .unauthorised(message: message) : .refused(code: code, message: message)
    }
}
