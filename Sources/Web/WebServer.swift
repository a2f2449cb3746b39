import CWebSockets
import Synchronization

/// An HTTP and WebSocket server on one thread, which is the one that calls `run()`.
///
/// `@unchecked Sendable`: `wake()`, `stop()`, `port` and `run()` are for any thread, and use the C handle under a lock;
/// everything else belongs to the thread inside `run()`.
package final class WebServer: @unchecked Sendable {
    /// Writable bytes that must precede a payload given to `ServerSocket.send`.
    package static let headroom = Int(slipstream_headroom)

    package let configuration: WebServerConfiguration
    package let port: Int
    let handler: any WebHandler
    private let context: OpaquePointer
    /// The context exists.
    private let isAlive = Mutex(true)
    private let isAwake = Atomic(false)
    private let isStopping = Atomic(false)
    private let tables: ServerTables
    var connectionCount = 0
    var sockets: [UInt64: ServerSocket] = [:]
    private var lastID: UInt64 = 0

    /// Listens at once: from here on clients may connect, and are served as soon as `run()` is called.
    package init(_ configuration: WebServerConfiguration, handler: any WebHandler) throws(WebError) {
        WebLog.silenced
        try probe(host: configuration.host, port: configuration.port)
        self.configuration = configuration
        self.handler = handler
        tables = ServerTables(configuration)
        guard let context = tables.makeContext() else { throw .startFailed(reason: "the web library refused") }
        guard let vhost = tables.makeListener(in: context) else {
            lws_context_destroy(context)
            throw .portInUse(host: configuration.host, port: configuration.port)
        }
        port = Int(lws_get_vhost_listen_port(vhost))
        self.context = context
        tables.anchor.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        isAlive.withLock { isAlive in
            if isAlive { lws_context_destroy(context) }
            isAlive = false
        }
    }

    /// Serves until `stop()`; then closes what is open (WebSockets with 1001) and returns.
    package func run() {
        while !isStopping.load(ordering: .acquiring) {
            guard lws_service(context, 0) >= 0 else { break }
        }
        closeSockets()
        isAlive.withLock { $0 = false }
        lws_context_destroy(context)
    }

    /// Has the handler's `woken()` called on the server's thread. From any thread; calls are coalesced.
    package func wake() {
        guard !isAwake.exchange(true, ordering: .acquiringAndReleasing) else { return }
        interrupt()
    }

    /// Ends `run()`. From any thread.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        interrupt()
    }

    /// Has the handler's `timer()` called once, that much later; a second call moves it. On the server's thread only.
    package func setTimer(microseconds: Int64) {
        let timer = UnsafeMutableRawPointer(tables.anchor).assumingMemoryBound(to: lws_sorted_usec_list_t.self)
        lws_sul_schedule(context, 0, timer, timerFired, max(1, microseconds))
    }

    func nextID() -> UInt64 {
        lastID += 1
        return lastID
    }

    func mayAccept() -> Bool {
        connectionCount < configuration.maxConnections
    }

    /// While stopping, the timer only keeps the loop turning.
    func timerElapsed() {
        guard !isStopping.load(ordering: .acquiring) else { return }
        handler.timer()
    }

    func interrupted() {
        guard isAwake.exchange(false, ordering: .acquiringAndReleasing) else { return }
        handler.woken()
    }

    private func interrupt() {
        isAlive.withLock { isAlive in
            if isAlive { lws_cancel_service(context) }
        }
    }

    /// Gives the goodbyes a second to go out.
    private func closeSockets() {
        let deadline = lws_now_usecs() + 1_000_000
        for socket in sockets.values { socket.close(code: 1001, reason: "the server stops") }
        while !sockets.isEmpty && lws_now_usecs() < deadline {
            setTimer(microseconds: 50_000)  // Otherwise the loop would sleep as long as nothing comes.
            guard lws_service(context, 0) >= 0 else { return }
        }
    }
}
