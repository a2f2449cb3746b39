import CWebSockets

/// One connection as the client's loop sees it: a WebSocket or a request. All calls come on the loop's thread.
protocol ClientConnection: AnyObject, Sendable {
    var endpoint: WebEndpoint { get }
    /// Nothing for a WebSocket.
    var method: String? { get }
    var timeout: Duration { get }
    /// `timeout` has passed since the connection was begun.
    /// - Returns: -1 to end the connection.
    func timedOut() -> Int32
    /// Another thread has changed what is wanted.
    func update(_ wsi: OpaquePointer)
    /// - Returns: -1 to end the connection.
    func event(_ reason: lws_callback_reasons, _ wsi: OpaquePointer, _ input: UnsafeMutableRawPointer?, _ count: Int)
        -> Int32
    /// The connection is over, or could not be made; calls after the first one mean nothing.
    func finish(_ end: ConnectionEnd)
}

/// How a client's connection ended.
enum ConnectionEnd {
    case closed(code: UInt16?, reason: String)
    case failed(reason: String)
    case timedOut
    case shutDown
}

/// Ties a connection to the library's handle; the handle holds this as its user data.
final class ClientSlot {
    let connection: any ClientConnection
    var wsi: OpaquePointer?

    init(_ connection: any ClientConnection) {
        self.connection = connection
    }
}
