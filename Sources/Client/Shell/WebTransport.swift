import Web

/// Connections over WebSockets, all on one thread.
struct WebTransport: Transport {
    private let client: WebClient
    private let endpoints: [WebEndpoint]
    private let timeout: Duration

    init(to endpoints: [WebEndpoint], timeout: Duration) throws(WebError) {
        client = try WebClient()
        self.endpoints = endpoints
        self.timeout = timeout
    }

    func connect(_ id: ConnectionID, url: Int, to receiver: any TransportReceiver) -> any TransportSocket {
        let handler = WebConnection(id: id, receiver: receiver)
        return client.connect(
            to: endpoints[url], handler: handler, timeout: timeout, maxQueuedBytes: WebTransport.queuedBytesMax)
    }

    func shutdown() { client.shutdown() }

    /// More than a publisher has on its way, so that a socket that is open takes everything.
    private static let queuedBytesMax = 64 << 20
}

extension ClientSocket: TransportSocket {
    package func send(_ text: [UInt8]) { _ = send(text[...]) }
    package func setReading(_ isReading: Bool) { isReading ? resumeReading() : pauseReading() }
}

/// Tells a session what happens to one of its connections.
private final class WebConnection: WebSocketClientHandler {
    private let id: ConnectionID
    private let receiver: any TransportReceiver

    init(id: ConnectionID, receiver: any TransportReceiver) {
        self.id = id
        self.receiver = receiver
    }

    func opened(_ socket: ClientSocket) { receiver.opened(id) }

    func received(_ message: UnsafeRawBufferPointer, on socket: ClientSocket) { receiver.received(id, message) }

    func closed(_ socket: ClientSocket, code: UInt16?, reason: String) {
        receiver.lost(id, code.map { .closed(code: $0, reason: reason) } ?? .broken(reason: reason))
    }
}
