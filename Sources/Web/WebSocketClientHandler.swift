/// What a client does with what a WebSocket brings. Every call comes on the client's thread and must not block: all its
/// connections share it.
package protocol WebSocketClientHandler: AnyObject, Sendable {
    func opened(_ socket: ClientSocket)
    /// One complete message, valid during the call only.
    func received(_ message: UnsafeRawBufferPointer, on socket: ClientSocket)
    /// After `send` returned false: half of the queue is free again.
    func hasRoom(_ socket: ClientSocket)
    /// Exactly once, and last, also when no connection came about.
    /// - Parameter code: the closing code, or nil when the connection broke or never was.
    /// - Parameter reason: for people, such as `connection refused`.
    func closed(_ socket: ClientSocket, code: UInt16?, reason: String)
}

extension WebSocketClientHandler {
    package func hasRoom(_ socket: ClientSocket) {}
}
