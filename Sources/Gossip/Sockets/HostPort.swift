/// `host:port` as people write it; an IPv6 address stands in brackets.
package struct HostPort: Sendable, Equatable, CustomStringConvertible {
    package let host: String
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// - Parameters:
    ///   - field: what the text is the value of, for the error.
    ///   - port: where the text names none; `nil` when it must.
    package init(_ text: String, field: String, port: UInt16? = nil) throws(GossipError) {
        guard let (host, digits) = Self.split(text), !host.isEmpty, !host.contains(where: \.isWhitespace),
            let number = digits.map({ UInt16($0) }) ?? port
        else { throw .invalid(field: field, value: text, allowed: "host:port or [IPv6 address]:port") }
        self.init(host: host, port: number)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private static func split(_ text: String) -> (host: String, port: Substring?)? {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let (host, rest) = (String(text[text.index(after: text.startIndex)..<end]), text[text.index(after: end)...])
            guard rest.isEmpty || rest.first == ":" else { return nil }
            return (host, rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first else { return nil }
        return (String(host), parts.count == 2 ? parts[1] : nil)
    }
}
