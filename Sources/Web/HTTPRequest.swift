/// One HTTP request with its whole body.
package struct HTTPRequest: Sendable {
    /// Upper case, as sent: `GET`, `POST`, …
    package let method: String
    /// Percent-decoded, beginning with `/`, without the query.
    package let path: String
    /// Percent-decoded, in the order sent.
    package let query: [(name: String, value: String)]
    /// By lower-case name; those of `HeaderReader.known` that were sent.
    package let headers: [String: String]
    /// Address of the peer, without its port.
    package let peer: String
    package internal(set) var body: [UInt8] = []

    /// `/v1/streams/chassis/x` is `["v1", "streams", "chassis", "x"]`. An encoded slash (`%2F`) counts as a slash.
    package var segments: [Substring] { path.split(separator: "/") }

    /// The first value of that name in the query.
    package func queryValue(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }
}
