/// Puts the pieces of one WebSocket message together, within a limit.
///
/// A message that comes in one piece, as most do, is passed on where it lies.
struct MessageAssembler {
    enum Outcome {
        case incomplete
        case complete
        case tooLarge
    }

    let limit: Int
    private var collected: [UInt8] = []
    private var isText = true

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next piece; calls `body` with the whole message when this was its last.
    mutating func add(
        _ piece: UnsafeRawBufferPointer, isFirst: Bool, isLast: Bool, isText: Bool,
        _ body: (UnsafeRawBufferPointer, Bool) -> Void
    ) -> Outcome {
        guard collected.count + piece.count <= limit else {
            collected = []
            return .tooLarge
        }
        if isFirst && isLast {
            body(piece, isText)
            return .complete
        }
        if isFirst { self.isText = isText }
        collected.append(contentsOf: piece)
        guard isLast else { return .incomplete }
        let message = collected
        collected = []
        message.withUnsafeBytes { body($0, self.isText) }
        return .complete
    }
}
