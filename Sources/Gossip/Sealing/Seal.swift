import COpenSSL

/// Seals what goes to other nodes with AES-256-GCM, and opens what comes from them. Without a key bytes pass as they are.
///
/// Layout: mark (1 byte), nonce (12), ciphertext, tag (16). The nonce is chance from the system's generator: after 2³²
/// packets under one key the chance that any two nonces were equal is still under 2⁻³², the bound of the source; a large
/// cluster reaches that in a month or more, and should change its key as often. Bound into the tag is what the bytes are
/// for, so that a datagram cannot be passed off as a frame; the cluster's settings are not, for a node that has the key
/// and other settings is to be told which. A packet recorded and sent again opens: claims are ordered, so an old one
/// changes nothing.
///
/// Used by one thread. Source: NIST SP 800-38D, section 8.2.2 (random nonces) and 8.3 (how many).
final class Seal {
    enum Purpose: UInt8 { case datagram, frame }

    /// Added to every packet: mark, nonce, tag.
    static let overhead = 1 + nonceBytes + tagBytes
    private static let nonceBytes = 12
    private static let tagBytes = 16
    /// Tells sealed bytes from plain ones, which begin with the small number of a protocol version: a node without a key
    /// can then say that keys differ, instead of that it understands nothing.
    private static let mark: UInt8 = 0xA5

    private let context: OpaquePointer?
    private var random = SystemRandomNumberGenerator()

    init(_ key: GossipKey?) {
        guard let key else {
            context = nil
            return
        }
        guard let context = EVP_CIPHER_CTX_new(),
            EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key.bytes, nil, 1) == 1
        else { preconditionFailure("libcrypto has no AES-256-GCM, or there is no memory left") }
        self.context = context
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    func seal(_ plain: [UInt8], as purpose: Purpose) -> [UInt8] {
        guard let context else { return plain }
        let nonce = (0..<Self.nonceBytes).map { _ in UInt8.random(in: 0...255, using: &random) }
        var sealed = [Self.mark] + nonce + [UInt8](repeating: 0, count: plain.count + Self.tagBytes)
        let isDone = sealed.withUnsafeMutableBufferPointer { sealed in
            let text = UnsafeMutableBufferPointer(rebasing: sealed[(1 + Self.nonceBytes)...])
            let tag = text.baseAddress.map { $0 + plain.count }
            return begin(context, nonce, purpose, isSealing: 1) && update(context, plain[...], into: text.baseAddress)
                && EVP_CipherFinal_ex(context, tag, &ignored) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagBytes), tag) == 1
        }
        precondition(isDone, "libcrypto could not seal \(plain.count) bytes")
        return sealed
    }

    /// - Returns: `nil` for what was not sealed with this key for this purpose, or was changed since.
    func open(_ sealed: [UInt8], as purpose: Purpose) -> [UInt8]? {
        guard let context else { return sealed.first == Self.mark ? nil : sealed }
        guard sealed.count >= Self.overhead, sealed[0] == Self.mark else { return nil }
        let nonce = Array(sealed[1...Self.nonceBytes])
        let text = sealed[(1 + Self.nonceBytes)..<(sealed.count - Self.tagBytes)]
        var tag = Array(sealed.suffix(Self.tagBytes))
        var plain = [UInt8](repeating: 0, count: text.count)
        let isWhole = plain.withUnsafeMutableBufferPointer { plain in
            begin(context, nonce, purpose, isSealing: 0) && update(context, text, into: plain.baseAddress)
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagBytes), &tag) == 1
                && EVP_CipherFinal_ex(context, &spare, &ignored) == 1
        }
        return isWhole ? plain : nil
    }

    // MARK: libcrypto

    private var ignored: Int32 = 0
    /// GCM has nothing left to write at the end, but wants a place for it.
    private var spare: UInt8 = 0

    private func begin(_ context: OpaquePointer, _ nonce: [UInt8], _ purpose: Purpose, isSealing: Int32) -> Bool {
        let bound = Array("slipstream gossip 1".utf8) + [purpose.rawValue]
        return EVP_CipherInit_ex(context, nil, nil, nil, nonce, isSealing) == 1
            && EVP_CipherUpdate(context, nil, &ignored, bound, Int32(bound.count)) == 1
    }

    private func update(_ context: OpaquePointer, _ bytes: ArraySlice<UInt8>, into output: UnsafeMutablePointer<UInt8>?)
        -> Bool
    {
        // With no output pointer the library would take the bytes for bound data.
        guard !bytes.isEmpty else { return true }
        return bytes.withUnsafeBufferPointer {
            EVP_CipherUpdate(context, output, &ignored, $0.baseAddress, Int32($0.count)) == 1
        }
    }
}
