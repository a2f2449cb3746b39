import CWebSockets
import Synchronization

/// One HTTP request of a client and the response as it comes.
///
/// `@unchecked Sendable`: what threads share is in `state`; the other variables belong to the client's thread.
final class ClientRequest: @unchecked Sendable {
    typealias Continuation = CheckedContinuation<Result<HTTPResponse, WebError>, Never>

    let endpoint: WebEndpoint
    let timeout: Duration
    private let verb: String
    private let headers: [(name: String, value: String)]
    private var body: [UInt8]
    private let maxResponseBytes: Int
    private let state = Mutex(State())
    private var sentBytes = 0
    private var response: HTTPResponse?

    private struct State {
        var continuation: Continuation?
        var isCancelled = false
    }

    init(
        endpoint: WebEndpoint, method: String, headers: [(name: String, value: String)], body: [UInt8],
        timeout: Duration, maxResponseBytes: Int
    ) {
        self.endpoint = endpoint
        self.timeout = timeout
        self.headers = headers
        self.body = body
        self.maxResponseBytes = maxResponseBytes
        verb = method
    }

    func begin(_ continuation: Continuation) {
        state.withLock { $0.continuation = continuation }
    }

    func cancel() {
        state.withLock { $0.isCancelled = true }
    }

    private func finish(_ result: Result<HTTPResponse, WebError>) {
        let continuation = state.withLock { state in
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(returning: result)
    }
}

extension ClientRequest: ClientConnection {
    var method: String? { verb }

    func timedOut() -> Int32 {
        finish(.timedOut)
        return -1
    }

    func update(_ wsi: OpaquePointer) {
        guard state.withLock({ $0.isCancelled }) else { return }
        finish(.failure(.interrupted(reason: "cancelled")))
        slipstream_kill(wsi)
    }

    func event(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ input: UnsafeMutableRawPointer?, _ count: Int
    ) -> Int32 {
        switch reason {
        case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
            return writeHeaders(wsi, input, count)
        case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
            return writeBody(wsi)
        case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
            return readHead(wsi)
        case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
            return readMore(wsi)
        case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
            return bodyArrived(UnsafeRawBufferPointer(start: input, count: count))
        case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
            if let response { finish(.success(response)) }
            return 0
        case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
            finish(closedResult())
            return 0
        default:
            return 0
        }
    }

    func finish(_ end: ConnectionEnd) {
        switch end {
        case .closed(_, let reason): finish(.failure(.interrupted(reason: reason)))
        case .failed(let reason):
            finish(.failure(.connectFailed(host: endpoint.host, port: endpoint.port, reason: reason)))
        case .timedOut: finish(.failure(.timedOut(host: endpoint.host, port: endpoint.port)))
        case .shutDown: finish(.failure(.shutDown))
        }
    }
}

extension ClientRequest {
    private func writeHeaders(_ wsi: OpaquePointer, _ input: UnsafeMutableRawPointer?, _ room: Int) -> Int32 {
        guard let input else { return -1 }
        let position = input.assumingMemoryBound(to: UnsafeMutablePointer<UInt8>?.self)
        let end = position.pointee.map { $0 + room }
        var all = headers
        if !body.isEmpty || verb == "POST" || verb == "PUT" { all.append(("content-length", "\(body.count)")) }
        for (name, value) in all {
            guard lws_add_http_header_by_name(wsi, name + ":", value, Int32(value.utf8.count), position, end) == 0
            else {
                finish(.failure(.interrupted(reason: "the headers are too long")))
                return -1
            }
        }
        if !body.isEmpty {
            lws_client_http_body_pending(wsi, 1)
            lws_callback_on_writable(wsi)
        }
        return 0
    }

    /// One piece per call, as the library wants it.
    private func writeBody(_ wsi: OpaquePointer) -> Int32 {
        guard sentBytes < body.count else { return 0 }
        let start = sentBytes
        let count = min(body.count - start, 64 << 10)
        let isLast = start + count == body.count
        if isLast { lws_client_http_body_pending(wsi, 0) }
        let written = body.withUnsafeMutableBufferPointer { buffer in
            lws_write(
                wsi, buffer.baseAddress.map { $0 + start }, count, isLast ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP)
        }
        guard written >= 0 else { return -1 }
        sentBytes += count
        if !isLast { lws_callback_on_writable(wsi) }
        return 0
    }

    private func readHead(_ wsi: OpaquePointer) -> Int32 {
        let reader = HeaderReader(wsi: wsi)
        let found = reader.responseHeaders()
        response = HTTPResponse(status: Int(lws_http_client_http_response(wsi)), headers: found)
        return 0
    }

    private func readMore(_ wsi: OpaquePointer) -> Int32 {
        withUnsafeTemporaryAllocation(byteCount: WebServer.headroom + (64 << 10), alignment: 16) { buffer in
            let room = buffer.baseAddress.map { $0 + WebServer.headroom }
            var start = room?.assumingMemoryBound(to: CChar.self)
            var count = Int32(64 << 10)
            return lws_http_client_read(wsi, &start, &count) < 0 ? -1 : 0
        }
    }

    private func bodyArrived(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        guard let count = response?.body.count else { return -1 }
        guard count + bytes.count <= maxResponseBytes else {
            finish(.failure(.responseTooLarge(limit: maxResponseBytes)))
            return -1
        }
        response?.body.append(contentsOf: bytes)
        return 0
    }

    /// A response without a length ends with its connection; one with a length must have all of it.
    private func closedResult() -> Result<HTTPResponse, WebError> {
        guard let response else { return .failure(.interrupted(reason: "no response")) }
        guard let length = response.header("content-length").flatMap({ Int($0) }), verb != "HEAD" else {
            return response.header("transfer-encoding") == nil
                ? .success(response) : .failure(.interrupted(reason: "the response is incomplete"))
        }
        return response.body.count == length
            ? .success(response)
            : .failure(.interrupted(reason: "\(response.body.count) of \(length) bytes came"))
    }
}
