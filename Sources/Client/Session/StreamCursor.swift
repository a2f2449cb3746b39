import Delivery
import Telemetry

/// How far a subscription is in one stream, per kind of output.
struct StreamCursor: Sendable {
    /// All that arrived: from here a new connection goes on.
    private(set) var received: Position
    /// All that the program has finished with: what it may keep to go on after a restart.
    private(set) var handled: Position
    /// Whether the beginning is known. A subscription by time learns it from the first frame.
    private(set) var isAnchored: Bool

    init(at position: Position, isAnchored: Bool) {
        received = position
        handled = position
        self.isAnchored = isAnchored
    }

    enum Verdict: Equatable {
        case fresh
        /// Its first `count` points arrived before.
        case partlyFresh(skipping: Int)
        case repeated
        /// Outputs of this kind after `after` are missing.
        case gap(after: UInt64)
        /// Counted in another log: only a `resync` may lead there.
        case otherHistory
    }

    /// Judges a frame and, when it is to be taken, moves on.
    ///
    /// - Parameter previous: the seq of the output before the first one in the frame.
    /// - Parameter mayJump: the subscription conflates, so outputs may be left out.
    mutating func take(
        _ kind: OutputKind, lineage: Lineage, previous: UInt64, seq: UInt64, mayJump: Bool
    ) -> Verdict {
        guard lineage == received.lineage else { return .otherHistory }
        guard seq > received[kind] else { return .repeated }
        if previous > received[kind], isAnchored, !mayJump { return .gap(after: received[kind]) }
        let known = previous < received[kind] && !mayJump ? received[kind] - previous : 0
        received[kind] = seq
        if !isAnchored { anchor(before: previous, except: kind) }
        return known == 0 || kind != .point ? .fresh : .partlyFresh(skipping: Int(known))
    }

    /// Nothing before the first frame of a subscription by time is wanted, of any kind.
    private mutating func anchor(before previous: UInt64, except kind: OutputKind) {
        isAnchored = true
        for other in OutputKind.allCases where other != kind { received[other] = max(received[other], previous) }
        for each in OutputKind.allCases { handled[each] = max(handled[each], previous) }
    }

    /// The node says how much it sent.
    /// - Returns: the kind and the seq after which something is missing.
    mutating func check(
        _ told: Position, kinds: [OutputKind], mayJump: Bool
    ) -> (kind: OutputKind, after: UInt64)? {
        guard told.lineage == received.lineage else { return nil }
        if isAnchored, !mayJump, let kind = kinds.first(where: { told[$0] > received[$0] }) {
            return (kind, received[kind])
        }
        for kind in OutputKind.allCases { received[kind] = max(received[kind], told[kind]) }
        isAnchored = true
        return nil
    }

    /// The node cannot give what lies between and says where to go on.
    mutating func jump(to position: Position) {
        received = position
        isAnchored = true
    }

    mutating func finish(_ mark: Mark) {
        switch mark {
        case .output(let kind, let seq): handled[kind] = seq
        case .resync(let position): handled = position
        }
    }

    /// What finishing an update means.
    enum Mark: Sendable, Equatable {
        case output(OutputKind, seq: UInt64)
        case resync(Position)
    }
}
