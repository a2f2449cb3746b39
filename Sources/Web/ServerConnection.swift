import CWebSockets

/// One TCP connection of a server: a row of HTTP exchanges, or from some moment on a WebSocket.
final class ServerConnection {
    unowned let server: WebServer
    let wsi: OpaquePointer
    var exchange: HTTPExchange?
    var socket: ServerSocket?
    var assembler: MessageAssembler
    /// Where a WebSocket was asked for; the library forgets it before the WebSocket is open.
    var upgrade: (path: String, query: [(name: String, value: String)])?
    private var incoming: HTTPRequest?
    private var expectedBytes = 0
    private var completions = 0
    private var bodyDeadline: Int64 = 0
    private var outgoing: (bytes: [UInt8], sent: Int)?

    init(server: WebServer, wsi: OpaquePointer) {
        self.server = server
        self.wsi = wsi
        assembler = MessageAssembler(limit: server.configuration.maxMessageBytes)
    }

    /// Headers are complete.
    func requestArrived() -> Int32 {
        let reader = HeaderReader(wsi: wsi)
        let headers = reader.headers()
        guard let (method, path) = reader.methodAndPath() else { return -1 }
        let request = HTTPRequest(
            method: method, path: path, query: reader.query(), headers: headers, peer: reader.peer())
        let version = reader.value(WSI_TOKEN_HTTP)
        let verdict = judge(request, version: version)
        // Without a length the library would take what follows for the body of a request that should have one.
        let isUnbounded = headers["content-length"] == nil && !["GET", "HEAD"].contains(method)
        let closes = verdict.refusal != nil || isUnbounded || asksToClose(headers, version)
        exchange = HTTPExchange(
            id: server.nextID(), connection: self, isHead: method == "HEAD", closes: closes)
        if let refusal = verdict.refusal {
            exchange?.respond(refusal)
            return 0
        }
        incoming = request
        completions = 0
        expectedBytes = verdict.bodyBytes
        guard expectedBytes > 0 else { return dispatch() }
        incoming?.body.reserveCapacity(min(expectedBytes, 256 << 10))
        bodyDeadline = lws_now_usecs() + Int64(server.configuration.bodyTimeoutSeconds) * 1_000_000
        return headers["expect"]?.lowercased() == "100-continue" ? writeContinue() : 0
    }

    func bodyArrived(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        guard let count = incoming?.body.count else { return 0 }  // Refused: what still comes is not read.
        guard count + bytes.count <= expectedBytes, lws_now_usecs() < bodyDeadline else { return -1 }
        incoming?.body.append(contentsOf: bytes)
        return 0
    }

    /// The library says that the body is complete.
    ///
    /// It says so over and over, and does nothing else any more, when a request with a body is followed by the next one
    /// before it was answered (seen with 4.1.6). Such a connection is ended; its client has to ask again.
    func bodyCompleted() -> Int32 {
        completions += 1
        return completions == 1 ? dispatch() : -1
    }

    private func dispatch() -> Int32 {
        guard let request = incoming, let exchange, request.body.count == expectedBytes else { return 0 }
        incoming = nil
        // Nothing is read until there is an answer: the library would turn in circles over bytes it cannot use yet, be
        // they the next request or the end of the connection.
        lws_rx_flow_control(wsi, 0)
        lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, Int32(server.configuration.responseTimeoutSeconds))
        server.handler.handle(request, exchange)
        return 0
    }

    func answerReady() {
        lws_rx_flow_control(wsi, 1)  // The library does not write to a connection that may not read.
        lws_callback_on_writable(wsi)
    }

    /// Writes the next piece of the answer, one per call as the library wants it.
    /// - Returns: -1 when the connection is to end.
    func writeAnswer() -> Int32 {
        guard let exchange, let response = exchange.response else { return 0 }
        var (bytes, sent) = outgoing ?? (Self.wireForm(of: response, for: exchange), 0)
        let count = min(bytes.count - sent, 64 << 10)
        let isLast = sent + count == bytes.count
        let written = bytes.withUnsafeMutableBufferPointer { buffer in
            lws_write(
                wsi, buffer.baseAddress.map { $0 + sent }, count, isLast ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP)
        }
        guard written >= 0 else { return -1 }
        sent += count
        guard isLast else {
            outgoing = (bytes, sent)
            lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, Int32(server.configuration.responseTimeoutSeconds))
            lws_callback_on_writable(wsi)
            return 0
        }
        outgoing = nil
        self.exchange = nil
        exchange.end()
        return lws_http_transaction_completed(wsi) == 0 && !exchange.closes ? 0 : -1
    }

    /// The connection is gone.
    func end() {
        exchange?.end()
        exchange = nil
        incoming = nil
        outgoing = nil
    }

    /// Head and body in one buffer, so that a small answer is one packet. Room before it is for the library.
    private static func wireForm(of response: HTTPResponse, for exchange: HTTPExchange) -> [UInt8] {
        let head = response.head(closes: exchange.closes)
        return exchange.isHead ? head : head + response.body
    }

    private func judge(_ request: HTTPRequest, version: String?) -> (bodyBytes: Int, refusal: HTTPResponse?) {
        guard let version, version.hasPrefix("HTTP/1.") else {
            return (0, .failure(400, "bad_request", "the request line does not end in HTTP/1.1"))
        }
        if request.headers["transfer-encoding"] != nil {
            return (0, .failure(411, "length_required", "send the body with a content-length, not in chunks"))
        }
        guard let text = request.headers["content-length"] else { return (0, nil) }
        guard let bytes = Int(text), bytes >= 0 else {
            return (0, .failure(400, "bad_request", "content-length is not a number"))
        }
        let limit = server.configuration.maxBodyBytes
        guard bytes <= limit else {
            return (0, .failure(413, "too_large", "the body has \(bytes) bytes, \(limit) are allowed", limit: limit))
        }
        return (bytes, nil)
    }

    /// HTTP/1.1 keeps a connection unless told otherwise, HTTP/1.0 the other way round (RFC 9112, 9.3).
    private func asksToClose(_ headers: [String: String], _ version: String?) -> Bool {
        let wish = headers["connection"]?.lowercased() ?? ""
        return wish.contains("close") || version == "HTTP/1.0"
    }

    private func writeContinue() -> Int32 {
        var text = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        return lws_write(wsi, &text, text.count, LWS_WRITE_HTTP) < 0 ? -1 : 0
    }
}
