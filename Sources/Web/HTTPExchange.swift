import CWebSockets

/// The answer still owed to one request. Belongs to the server's thread; may be kept and answered later.
package final class HTTPExchange {
    package let id: UInt64
    /// The connection, while it is there and waits for this answer.
    private(set) weak var connection: ServerConnection?
    /// The request's method was HEAD: headers as for GET, and no body.
    let isHead: Bool
    let closes: Bool
    private(set) var response: HTTPResponse?

    init(id: UInt64, connection: ServerConnection, isHead: Bool, closes: Bool) {
        self.id = id
        self.connection = connection
        self.isHead = isHead
        self.closes = closes
    }

    /// Not yet answered, and the client is not known to have gone: that often shows only when the answer is written.
    package var isOpen: Bool { connection != nil && response == nil }

    /// Answers the request. Only the first answer counts; when the client has gone meanwhile nothing happens.
    package func respond(_ response: HTTPResponse) {
        guard self.response == nil, let connection else { return }
        self.response = response
        connection.answerReady()
    }

    package func respond(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        respond(HTTPResponse(status: status, headers: headers, body: body))
    }

    func end() {
        connection = nil
    }
}
