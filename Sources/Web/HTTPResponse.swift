/// What a server answers and what a client's request returns.
package struct HTTPResponse: Sendable {
    package var status: Int
    /// Names in lower case. A server adds `content-length` and `connection` itself.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that lower-case name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

extension HTTPResponse {
    /// `{"error":{"code":…,"message":…,"details":{…}}}`, the one shape of all errors.
    /// - Parameter limit: named in `details` where a limit was passed.
    static func failure(_ status: Int, _ code: String, _ message: String, limit: Int? = nil) -> HTTPResponse {
        let details = limit.map { "{\"limit\":\($0)}" } ?? "{}"
        let text = "{\"error\":{\"code\":\"\(code)\",\"message\":\"\(message)\",\"details\":\(details)}}\n"
        return HTTPResponse(status: status, headers: [("content-type", "application/json")], body: Array(text.utf8))
    }

    /// Status line and headers as they go over the wire, with the blank line.
    /// - Parameter closes: this is the last response on its connection.
    func head(closes: Bool) -> [UInt8] {
        var text = "HTTP/1.1 \(status) \(reasonPhrase(status))\r\n"
        for (name, value) in headers {
            text += "\(oneLine(name)): \(oneLine(value))\r\n"
        }
        if status != 204 && status != 304 { text += "content-length: \(body.count)\r\n" }
        text += closes ? "connection: close\r\n\r\n" : "connection: keep-alive\r\n\r\n"
        return Array(text.utf8)
    }
}

/// A line break in a header would let whoever chose the value write headers of his own.
private func oneLine(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 }) else { return text }
    return String(decoding: text.utf8.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
}

private func reasonPhrase(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 413: "Content Too Large"
    case 415: "Unsupported Media Type"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 507: "Insufficient Storage"
    default: "Status \(status)"
    }
}
