import CWebSockets

/// Opens WebSockets and makes HTTP requests, all on one thread of its own.
///
/// Names are resolved on that thread too: a slow name server holds up the other connections, an address never does.
package final class WebClient: Sendable {
    private let loop: ClientLoop

    package init() throws(WebError) {
        WebLog.silenced
        loop = try ClientLoop()
        loop.start()
    }

    deinit { loop.stop() }

    /// Begins to connect; the handler hears how that went. From any thread.
    /// - Parameter timeout: for the TCP connection and the WebSocket's handshake together.
    /// - Parameter maxQueuedBytes: what `send` may have waiting.
    /// - Parameter maxMessageBytes: a larger message from the server closes the socket with 1009.
    package func connect(
        to endpoint: WebEndpoint, handler: any WebSocketClientHandler, timeout: Duration = .seconds(5),
        maxQueuedBytes: Int = 4 << 20, maxMessageBytes: Int = 16 << 20
    ) -> ClientSocket {
        let socket = ClientSocket(
            endpoint: endpoint, handler: handler, loop: loop, timeout: timeout, maxQueuedBytes: maxQueuedBytes,
            maxMessageBytes: maxMessageBytes)
        loop.submit(.open(socket))
        return socket
    }

    /// One request on a connection of its own. From any thread; cancelling the task ends the request.
    /// - Parameter timeout: until the response is complete.
    package func request(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
        timeout: Duration = .seconds(30), maxResponseBytes: Int = 64 << 20
    ) async throws(WebError) -> HTTPResponse {
        let endpoint = try WebEndpoint(url: url)
        let request = ClientRequest(
            endpoint: endpoint, method: method, headers: headers, body: body, timeout: timeout,
            maxResponseBytes: maxResponseBytes)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                request.begin(continuation)
                loop.submit(.open(request))
            }
        } onCancel: {
            request.cancel()
            loop.submit(.update(request))
        }
        return try result.get()
    }

    /// Ends every connection and the thread; what was waiting ends with `shutDown`. From any thread, any number of times.
    package func shutdown() {
        loop.stop()
    }
}
