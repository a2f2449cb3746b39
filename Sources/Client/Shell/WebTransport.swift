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

    func connect(
        _ id: ConnectionID, to address: Destination, for receiver: any TransportReceiver
    ) -> (any TransportSocket)? {
        guard let endpoint = endpoint(address) else { return nil }
        let handler = WebConnection(id: id, receiver: receiver)
        return client.connect(
            to: endpoint, handler: handler, timeout: timeout, maxQueuedBytes: WebTransport.queuedBytesMax)
    }

    private func endpoint(_ address: Destination) -> WebEndpoint? {
        switch address {
        case .listed(let place): endpoints[place]
        // What a node tells may be anything: then it is passed over.
        case .told(let url): try? WebEndpoint(stream: url)
        }
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

extension WebEndpoint {
    /// A node's `/v1/stream`; the path may be left out.
    init(stream url: String) throws(WebError) {
        try self.init(url: url)
        if path == "/" { path = "/v1/stream" }
    }
}
