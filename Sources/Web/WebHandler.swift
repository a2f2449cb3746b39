/// What a server does with what arrives. Every call comes on the server's own thread, one at a time, and none may block:
/// while one runs, no other connection is served.
package protocol WebHandler: AnyObject {
    /// A request with its whole body. `exchange` may be kept and answered later, on this thread.
    func handle(_ request: HTTPRequest, _ exchange: HTTPExchange)
    func opened(_ socket: ServerSocket)
    /// One complete message; `message` is valid during the call only.
    func received(_ message: UnsafeRawBufferPointer, isText: Bool, on socket: ServerSocket)
    /// After `requestWritable()`: send until `isChoked`.
    func writable(_ socket: ServerSocket)
    /// The last call for this socket, whoever closed it.
    func closed(_ socket: ServerSocket)
    /// After `wake()`; several calls of it before this one are one.
    func woken()
    /// After `setTimer`.
    func timer()
}

/// One that answers requests and nothing else.
package protocol RequestHandler: WebHandler {}

extension RequestHandler {
    package func opened(_ socket: ServerSocket) {}
    package func received(_ message: UnsafeRawBufferPointer, isText: Bool, on socket: ServerSocket) {}
    package func writable(_ socket: ServerSocket) {}
    package func closed(_ socket: ServerSocket) {}
    package func woken() {}
    package func timer() {}
}
