/// Where a client connects to.
package struct WebEndpoint: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int
    /// With its query, as it goes over the wire.
    package var path: String

    package init(host: String, port: Int, path: String = "/") {
        self.host = host
        self.port = port
        self.path = path
    }

    /// `http://host:port/path?query` or the same with `ws://`; without a port 80, without a path `/`.
    package init(url: String) throws(WebError) {
        guard let scheme = ["http://", "ws://"].first(where: url.lowercased().hasPrefix) else { throw .badURL(url) }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count)
        guard let (host, port) = Self.split(authority), !path.contains(where: { $0.isWhitespace || $0.isNewline })
        else {
            throw .badURL(url)
        }
        self.init(host: host, port: port, path: path.hasPrefix("/") ? String(path) : "/" + path)
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// `name`, `name:port`, `[::1]` or `[::1]:port`.
    private static func split(_ authority: Substring) -> (host: String, port: Int)? {
        var host = authority
        var port: Substring = "80"
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard let number = Int(port), (1...65_535).contains(number), !host.isEmpty else { return nil }
        return (String(host), number)
    }
}
