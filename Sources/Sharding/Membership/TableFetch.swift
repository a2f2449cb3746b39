/// A table on its way here, piece by piece.
struct TableFetch: Sendable {
    /// Who has it.
    private(set) var source: PeerAddress
    private(set) var version: Stamp
    private(set) var retryAt: Duration
    private var triesLeft = 5
    private var bytes: [UInt8] = []
    private var ahead: [Int: [UInt8]] = [:]

    static let patience = Duration.milliseconds(150)

    init(of version: Stamp, from source: PeerAddress, at now: Duration) {
        self.source = source
        self.version = version
        retryAt = now + Self.patience
    }

    /// Bytes there without a gap: where the next request begins.
    var offset: Int { bytes.count }

    /// - Returns: the table when this was the last piece.
    mutating func take(_ piece: TablePiece, at now: Duration) -> [UInt8]? {
        guard piece.version >= version else { return nil }
        if piece.version > version { (version, bytes, ahead) = (piece.version, [], [:]) }
        retryAt = now + Self.patience
        if piece.offset > bytes.count { ahead[piece.offset] = piece.bytes }
        if piece.offset == bytes.count { bytes += piece.bytes }
        while let next = ahead.removeValue(forKey: bytes.count) { bytes += next }
        return bytes.count == piece.total ? bytes : nil
    }

    /// - Returns: whether to ask again.
    mutating func retry(at now: Duration) -> Bool {
        triesLeft -= 1
        retryAt = now + Self.patience
        return triesLeft > 0
    }

    mutating func turn(to source: PeerAddress) { self.source = source }
}
