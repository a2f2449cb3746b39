import CWebSockets
import Synchronization

/// One WebSocket of a client. All its methods are for any thread.
///
/// `@unchecked Sendable`: what threads share is in `state`; the other variables belong to the client's thread.
package final class ClientSocket: @unchecked Sendable {
    package let endpoint: WebEndpoint
    let timeout: Duration
    private let handler: any WebSocketClientHandler
    private let loop: ClientLoop
    private let maxQueuedBytes: Int
    private let state = Mutex(State())
    private var assembler: MessageAssembler
    private var isOpen = false
    /// How it ends: what we have said, or else what the server has.
    private var farewell: (code: UInt16, reason: String)?
    private var hasSaidGoodbye = false
    /// Taken from the queue; the first `sent` of them have gone.
    private var outgoing: [[UInt8]] = []
    private var sent = 0

    private struct State {
        /// Each with the library's room in front.
        var queue: [[UInt8]] = []
        /// Of `queue` and `outgoing` together.
        var queuedBytes = 0
        var hasRefused = false
        var isReadingPaused = false
        var closing: (code: UInt16, reason: String)?
        var isCancelled = false
        var isFinished = false
    }

    init(
        endpoint: WebEndpoint, handler: any WebSocketClientHandler, loop: ClientLoop, timeout: Duration,
        maxQueuedBytes: Int, maxMessageBytes: Int
    ) {
        self.endpoint = endpoint
        self.handler = handler
        self.loop = loop
        self.timeout = timeout
        self.maxQueuedBytes = maxQueuedBytes
        assembler = MessageAssembler(limit: maxMessageBytes)
    }

    /// Queues one text message; what is sent before the socket is open goes out once it is.
    /// - Returns: false when the queue is full (`hasRoom` tells when to try again) or the socket is closed or closing.
    @discardableResult
    package func send(_ text: some Collection<UInt8>) -> Bool {
        var message = [UInt8](repeating: 0, count: WebServer.headroom)
        message.append(contentsOf: text)
        let (isQueued, isFirst) = state.withLock { state in
            guard !state.isFinished, state.closing == nil else { return (false, false) }
            guard state.queuedBytes == 0 || state.queuedBytes + message.count <= maxQueuedBytes else {
                state.hasRefused = true
                return (false, false)
            }
            state.queue.append(message)
            state.queuedBytes += message.count
            return (true, state.queue.count == 1)
        }
        if isFirst { loop.submit(.update(self)) }
        return isQueued
    }

    /// Takes nothing more from the network, so that the server notices; what has already been read still arrives.
    package func pauseReading() { change { $0.isReadingPaused = true } }

    package func resumeReading() { change { $0.isReadingPaused = false } }

    /// Sends what is queued, says goodbye and closes. A server that does not answer is left after a few seconds.
    package func close(code: UInt16 = 1000, reason: String = "") {
        change { state in
            if state.closing == nil { state.closing = (code, reason) }
        }
    }

    /// Ends the connection at once, without a goodbye: for a server that no longer answers.
    package func cancel() { change { $0.isCancelled = true } }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
        loop.submit(.update(self))
    }
}

extension ClientSocket: ClientConnection {
    var method: String? { nil }

    func timedOut() -> Int32 {
        guard !isOpen else { return 0 }
        finish(.timedOut)
        return -1
    }

    func update(_ wsi: OpaquePointer) {
        let (isPaused, isClosing, isCancelled, isWaiting) = state.withLock { state in
            (state.isReadingPaused, state.closing != nil, state.isCancelled, !state.queue.isEmpty)
        }
        if isCancelled {
            finish(.closed(code: nil, reason: "cancelled"))
            return slipstream_kill(wsi)
        }
        guard isOpen, !hasSaidGoodbye else { return }
        lws_rx_flow_control(wsi, isPaused ? 0 : 1)
        if isClosing { lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, goodbyeSeconds) }
        if isClosing || isWaiting { lws_callback_on_writable(wsi) }
    }

    func event(
        _ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ input: UnsafeMutableRawPointer?, _ count: Int
    ) -> Int32 {
        switch reason {
        case LWS_CALLBACK_CLIENT_RECEIVE:
            return pieceArrived(UnsafeRawBufferPointer(start: input, count: count), wsi)
        case LWS_CALLBACK_CLIENT_WRITEABLE:
            return writeQueued(wsi)
        case LWS_CALLBACK_CLIENT_ESTABLISHED:
            opened(wsi)
            return 0
        case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
            let goodbye = readGoodbye(UnsafeRawBufferPointer(start: input, count: count))
            if farewell == nil { farewell = goodbye }
            return hasSaidGoodbye ? -1 : 0
        case LWS_CALLBACK_CLIENT_CLOSED:
            finish(.closed(code: farewell?.code, reason: farewell?.reason ?? "connection lost"))
            return 0
        default:
            return 0
        }
    }

    func finish(_ end: ConnectionEnd) {
        let isFirst = state.withLock { state in
            defer {
                state.isFinished = true
                state.queue = []
            }
            return !state.isFinished
        }
        guard isFirst else { return }
        switch end {
        case .closed(let code, let reason): handler.closed(self, code: code, reason: reason)
        case .failed(let reason): handler.closed(self, code: nil, reason: reason)
        case .timedOut: handler.closed(self, code: nil, reason: "no answer within \(timeout)")
        case .shutDown: handler.closed(self, code: nil, reason: "the client was shut down")
        }
    }
}

/// What happens on the client's thread while the socket is open.
extension ClientSocket {
    private func opened(_ wsi: OpaquePointer) {
        isOpen = true
        let fd = lws_get_socket_fd(wsi)
        setNoDelay(fd)
        // The library has cut the buffer down to the size of its own receive buffer.
        setSendBuffer(fd, bytes: 256 << 10)
        handler.opened(self)
        update(wsi)
    }

    private func pieceArrived(_ piece: UnsafeRawBufferPointer, _ wsi: OpaquePointer) -> Int32 {
        guard !hasSaidGoodbye else { return 0 }
        let isLast = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0
        let outcome = assembler.add(
            piece, isFirst: lws_is_first_fragment(wsi) != 0, isLast: isLast, isText: true
        ) { message, _ in
            handler.received(message, on: self)
        }
        guard case .tooLarge = outcome else { return 0 }
        return goodbye(wsi, 1009, "a message may have \(assembler.limit) bytes")
    }

    /// Writes until the kernel takes no more or nothing is left, then the goodbye if one is wanted.
    private func writeQueued(_ wsi: OpaquePointer) -> Int32 {
        guard !hasSaidGoodbye else { return 0 }
        var writtenBytes = 0
        defer { release(writtenBytes) }
        var closing: (code: UInt16, reason: String)?
        while takeOutgoing(orElse: &closing) {
            let count = outgoing[sent].count - WebServer.headroom
            let written = outgoing[sent].withUnsafeMutableBufferPointer { buffer in
                lws_write(wsi, buffer.baseAddress.map { $0 + WebServer.headroom }, count, LWS_WRITE_TEXT)
            }
            guard written >= 0 else { return -1 }
            writtenBytes += outgoing[sent].count
            outgoing[sent] = []
            sent += 1
            guard lws_partial_buffered(wsi) == 0 else {
                lws_callback_on_writable(wsi)
                return 0
            }
        }
        guard let closing else { return 0 }
        return goodbye(wsi, closing.code, closing.reason)
    }

    /// - Returns: whether there is a message to write. Where there is none, and in the same instant, so that nothing can
    ///   come in between, `closing` is the goodbye if one is wanted.
    private func takeOutgoing(orElse closing: inout (code: UInt16, reason: String)?) -> Bool {
        guard sent == outgoing.count else { return true }
        sent = 0
        (outgoing, closing) = state.withLock { state in
            defer { state.queue = [] }
            return (state.queue, state.queue.isEmpty ? state.closing : nil)
        }
        return !outgoing.isEmpty
    }

    private func release(_ bytes: Int) {
        let mayTell = state.withLock { state in
            state.queuedBytes -= bytes
            guard state.hasRefused, state.queuedBytes <= maxQueuedBytes / 2 else { return false }
            state.hasRefused = false
            return true
        }
        if mayTell { handler.hasRoom(self) }
    }

    /// Says it once; the server's answer ends the connection.
    private func goodbye(_ wsi: OpaquePointer, _ code: UInt16, _ reason: String) -> Int32 {
        guard !hasSaidGoodbye else { return 0 }
        hasSaidGoodbye = true
        farewell = (code, reason)
        return writeGoodbye(wsi, code, reason)
    }
}
