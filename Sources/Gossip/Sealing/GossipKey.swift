import COpenSSL

/// What the nodes of a cluster seal their gossip with. A node without it, or with another, is refused.
package struct GossipKey: Sendable, Equatable, CustomStringConvertible {
    package static let byteCount = 32
    let bytes: [UInt8]

    package init(bytes: [UInt8]) throws(GossipKeyError) {
        guard bytes.count == Self.byteCount else { throw .length(bytes: bytes.count) }
        self.bytes = bytes
    }

    /// - Parameter text: 64 hex digits, or base64 of 32 bytes (44 characters with its padding, RFC 4648 section 4).
    package init(_ text: String) throws(GossipKeyError) {
        if text.utf8.count == 2 * Self.byteCount, let bytes = Self.bytes(hex: text) {
            try self.init(bytes: bytes)
        } else if let bytes = Self.bytes(base64: text) {
            try self.init(bytes: bytes)
        } else {
            throw .characters
        }
    }

    /// A key never reaches a log.
    package var description: String { "<a gossip key>" }

    private static func bytes(hex: String) -> [UInt8]? {
        let digits = hex.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == hex.utf8.count else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private static func bytes(base64: String) -> [UInt8]? {
        let text = Array(base64.utf8)
        guard !text.isEmpty, text.count % 4 == 0, text.count <= 1_024 else { return nil }
        var decoded = [UInt8](repeating: 0, count: text.count / 4 * 3)
        guard EVP_DecodeBlock(&decoded, text, Int32(text.count)) == decoded.count else { return nil }
        // The library counts the padding as zeros.
        decoded.removeLast(text.suffix(2).count { $0 == UInt8(ascii: "=") })
        return decoded
    }
}

/// Why a text is no gossip key. It never says what the text was.
package enum GossipKeyError: Error, Equatable, CustomStringConvertible {
    case characters
    case length(bytes: Int)

    package var description: String {
        let remedy = "give 64 hex digits or base64 of 32 bytes, as `openssl rand -hex 32` prints"
        return switch self {
        case .characters: "--gossip-key is neither hex nor base64; \(remedy)"
        case .length(let bytes): "--gossip-key is \(bytes) bytes long; \(remedy)"
        }
    }
}
