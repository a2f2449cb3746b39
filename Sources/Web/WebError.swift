/// Why a server could not start, a client could not start, or a request got no response.
package enum WebError: Error, Equatable, CustomStringConvertible {
    case portInUse(host: String, port: Int)
    case notPermitted(host: String, port: Int)
    case badHost(String)
    /// The library refused for a reason it does not give; `reason` says what was being attempted.
    case startFailed(reason: String)
    case badURL(String)
    case connectFailed(host: String, port: Int, reason: String)
    case timedOut(host: String, port: Int)
    /// The connection ended before the response was complete; the server may or may not have acted on the request.
    case interrupted(reason: String)
    case responseTooLarge(limit: Int)
    case shutDown

    package var description: String {
        switch self {
        case .portInUse(let host, let port): "port \(port) on \(host) is in use; choose another with --port"
        case .notPermitted(let host, let port):
            "no permission to listen on \(host):\(port); ports below 1024 need a privilege, choose another with --port"
        case .badHost(let host):
            "\(host) is not an address of this machine; use 0.0.0.0 for all, or one of its addresses"
        case .startFailed(let reason): "cannot start: \(reason)"
        case .badURL(let text): "\(text) is not a URL of the form http://host:port/path"
        case .connectFailed(let host, let port, let reason): "cannot connect to \(host):\(port): \(reason)"
        case .timedOut(let host, let port): "\(host):\(port) gave no answer in time"
        case .interrupted(let reason): "the connection ended before the response was complete: \(reason)"
        case .responseTooLarge(let limit): "the response is larger than \(limit) bytes"
        case .shutDown: "the client was shut down"
        }
    }
}
