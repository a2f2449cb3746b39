import CWebSockets

/// One WebSocket of a server. Belongs to the server's thread.
package final class ServerSocket {
    package let id: UInt64
    package let path: String
    package let query: [(name: String, value: String)]
    package let peer: String
    /// Whatever the handler wants to keep with this socket.
    package var userData: AnyObject?
    private var wsi: OpaquePointer?
    private(set) var closing: (code: UInt16, reason: String)?
    private(set) var hasSaidGoodbye = false

    init(id: UInt64, path: String, query: [(name: String, value: String)], peer: String, wsi: OpaquePointer) {
        self.id = id
        self.path = path
        self.query = query
        self.peer = peer
        self.wsi = wsi
    }

    /// Not closed and not closing.
    package var isOpen: Bool { wsi != nil && closing == nil }

    /// The kernel takes no more for now: stop sending, and wait for `writable` after `requestWritable`.
    ///
    /// What was sent before is never lost by that: the library keeps the rest of the frame that did not fit.
    package var isChoked: Bool {
        guard let wsi else { return true }
        return lws_partial_buffered(wsi) != 0
    }

    /// Sends one message without copying it; allowed whenever the socket is not choked.
    ///
    /// The frame's header is written into the `WebServer.headroom` bytes before `payload`, which must be writable; the
    /// payload itself is not changed, so the same buffer may go to many sockets one after the other.
    /// - Returns: false when the socket is closed, closing or choked, and nothing was sent.
    @discardableResult
    package func send(_ payload: UnsafeMutableRawBufferPointer, asText: Bool = true) -> Bool {
        guard let wsi, closing == nil, lws_partial_buffered(wsi) == 0, let start = payload.baseAddress else {
            return false
        }
        let kind = asText ? LWS_WRITE_TEXT : LWS_WRITE_BINARY
        guard lws_write(wsi, start.assumingMemoryBound(to: UInt8.self), payload.count, kind) >= 0 else {
            slipstream_kill(wsi)
            return false
        }
        return true
    }

    /// Asks for one `writable` call, as soon as the kernel takes more.
    package func requestWritable() {
        guard let wsi else { return }
        lws_callback_on_writable(wsi)
    }

    /// Says goodbye and closes. A peer that takes nothing any more is cut off after a few seconds.
    /// - Parameter reason: at most 123 bytes of it are sent.
    package func close(code: UInt16, reason: String) {
        guard let wsi, closing == nil else { return }
        closing = (code, reason)
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, goodbyeSeconds)
        lws_callback_on_writable(wsi)
    }

    /// Says the goodbye of `close`, once; the peer's answer ends the connection.
    /// - Returns: -1 to end it at once, as the goodbye cannot be said.
    func sayGoodbye() -> Int32 {
        guard let wsi, let closing else { return -1 }
        guard !hasSaidGoodbye else { return 0 }
        hasSaidGoodbye = true
        return writeGoodbye(wsi, closing.code, closing.reason)
    }

    func end() {
        wsi = nil
    }
}
