/// What a `WebServer` listens on and what it refuses.
package struct WebServerConfiguration: Sendable {
    /// An address of this machine; `0.0.0.0` is all of them.
    package var host = "0.0.0.0"
    /// 0 takes any free port; `WebServer.port` tells which.
    package var port = 0
    /// Paths that accept a WebSocket; an upgrade anywhere else is answered with 404.
    package var webSocketPaths: [String] = []
    /// Bytes of a request body; a larger one is answered with 413.
    package var maxBodyBytes = 16 << 20
    /// Bytes of one WebSocket message, all its frames together; a larger one closes the socket with 1009.
    package var maxMessageBytes = 1 << 20
    /// Bytes of a request's headers with its path and query.
    package var maxHeaderBytes = 8 << 10
    /// Open connections of both kinds; further ones are closed on arrival.
    package var maxConnections = 10_000
    /// Seconds a client may take over its headers, and may pause within a body.
    package var readTimeoutSeconds = 10
    /// Seconds a whole body may take, however steadily it drips in.
    package var bodyTimeoutSeconds = 60
    /// Seconds a handler may take to respond; after that the connection is closed.
    package var responseTimeoutSeconds = 60
    /// Seconds a connection may wait between two requests.
    package var keepAliveSeconds = 30
    /// Seconds of silence on a WebSocket before a ping is sent; twice as long without an answer closes it.
    package var pingSeconds = 20
    /// Bytes the kernel may hold for one slow WebSocket reader before the socket is choked.
    package var sendBufferBytes = 256 << 10

    package init(host: String = "0.0.0.0", port: Int = 0, webSocketPaths: [String] = []) {
        self.host = host
        self.port = port
        self.webSocketPaths = webSocketPaths
    }
}
