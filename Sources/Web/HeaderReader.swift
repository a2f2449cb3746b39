import CWebSockets

/// Reads what the library parsed of a request; valid only while the library holds the headers.
struct HeaderReader {
    let wsi: OpaquePointer

    /// The headers a handler may want, with the names it finds them under.
    static let known: [(token: lws_token_indexes, name: String)] = [
        (WSI_TOKEN_HOST, "host"),
        (WSI_TOKEN_CONNECTION, "connection"),
        (WSI_TOKEN_ORIGIN, "origin"),
        (WSI_TOKEN_HTTP_ACCEPT, "accept"),
        (WSI_TOKEN_HTTP_ACCEPT_ENCODING, "accept-encoding"),
        (WSI_TOKEN_HTTP_AUTHORIZATION, "authorization"),
        (WSI_TOKEN_HTTP_CONTENT_ENCODING, "content-encoding"),
        (WSI_TOKEN_HTTP_CONTENT_LENGTH, "content-length"),
        (WSI_TOKEN_HTTP_CONTENT_TYPE, "content-type"),
        (WSI_TOKEN_HTTP_EXPECT, "expect"),
        (WSI_TOKEN_HTTP_IF_NONE_MATCH, "if-none-match"),
        (WSI_TOKEN_HTTP_RANGE, "range"),
        (WSI_TOKEN_HTTP_TRANSFER_ENCODING, "transfer-encoding"),
        (WSI_TOKEN_HTTP_USER_AGENT, "user-agent"),
        (WSI_TOKEN_X_FORWARDED_FOR, "x-forwarded-for"),
    ]

    /// What a client may want of a response.
    private static let knownOfResponses: [(token: lws_token_indexes, name: String)] = [
        (WSI_TOKEN_HTTP_CACHE_CONTROL, "cache-control"),
        (WSI_TOKEN_HTTP_CONTENT_ENCODING, "content-encoding"),
        (WSI_TOKEN_HTTP_CONTENT_LENGTH, "content-length"),
        (WSI_TOKEN_HTTP_CONTENT_TYPE, "content-type"),
        (WSI_TOKEN_HTTP_ETAG, "etag"),
        (WSI_TOKEN_HTTP_LOCATION, "location"),
        (WSI_TOKEN_HTTP_RETRY_AFTER, "retry-after"),
        (WSI_TOKEN_HTTP_SERVER, "server"),
        (WSI_TOKEN_HTTP_TRANSFER_ENCODING, "transfer-encoding"),
    ]

    /// In the order of the library's method numbers.
    private static let methods = ["GET", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "CONNECT", "HEAD"]

    func value(_ token: lws_token_indexes) -> String? {
        let length = Int(lws_hdr_total_length(wsi, token))
        guard length > 0 else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 1) { buffer in
            let copied = lws_hdr_copy(wsi, buffer.baseAddress, Int32(length + 1), token)
            return copied >= 0 ? String(decoding: UnsafeRawBufferPointer(buffer)[..<Int(copied)], as: UTF8.self) : nil
        }
    }

    func headers() -> [String: String] {
        var found: [String: String] = [:]
        for (token, name) in Self.known {
            if let text = value(token) { found[name] = text }
        }
        return found
    }

    func responseHeaders() -> [(name: String, value: String)] {
        Self.knownOfResponses.compactMap { known in value(known.token).map { (known.name, $0) } }
    }

    /// Method and path, or nothing when the request line has none that we know.
    func methodAndPath() -> (method: String, path: String)? {
        var start: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        let method = Int(lws_http_get_uri_and_method(wsi, &start, &length))
        guard Self.methods.indices.contains(method), let start, length > 0 else { return nil }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(length))
        return (Self.methods[method], String(decoding: bytes, as: UTF8.self))
    }

    func query() -> [(name: String, value: String)] {
        var items: [(name: String, value: String)] = []
        while let text = fragment(Int32(items.count), of: WSI_TOKEN_HTTP_URI_ARGS) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            items.append((String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : ""))
        }
        return items
    }

    func peer() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            buffer.initialize(repeating: 0)
            lws_get_peer_simple(wsi, buffer.baseAddress, buffer.count)
            let text = String(decoding: UnsafeRawBufferPointer(buffer).prefix { $0 != 0 }, as: UTF8.self)
            return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
        }
    }

    private func fragment(_ index: Int32, of token: lws_token_indexes) -> String? {
        let length = Int(lws_hdr_fragment_length(wsi, token, index))
        guard length > 0 else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 1) { buffer in
            let copied = lws_hdr_copy_fragment(wsi, buffer.baseAddress, Int32(length + 1), token, index)
            return copied >= 0 ? String(decoding: UnsafeRawBufferPointer(buffer)[..<Int(copied)], as: UTF8.self) : nil
        }
    }
}
