import Delivery
import Telemetry
import Web

/// How many subscriptions may begin at a time: when another node dies its clients all come at once.
extension Service {
    /// Subscribes, or sends the client away with the time after which to come back.
    func begin(_ request: SubscribeRequest, for id: SessionID, on socket: ServerSocket) {
        guard let wait = beginnings.enter(at: .monotonic) else { return subscribe(request, for: id) }
        // Rounded up: who comes back too early has waited in vain.
        let milliseconds = (wait + 999) / 1_000
        socket.close(
            code: CloseCode.notReady, reason: "too many subscriptions at once; retry after \(milliseconds) ms")
    }
}
