import Simulation

/// One fault of a history: what, when, for how long and to whom.
package struct Fault: Sendable, CustomStringConvertible {
    package let kind: FaultKind
    package let at: Duration
    package let duration: Duration
    /// Chooses whom it strikes, modulo how many there are.
    package let target: Int
    package let other: Int

    package var description: String {
        "\(seconds(at)) \(kind.rawValue) for \(seconds(duration)) to \(target)"
            + (other == 0 ? "" : " and \(other)")
    }

    /// Some faults of some kinds, within the first `span`.
    static func draw(within span: Duration, among all: [FaultKind], using random: inout SeededRandom) -> [Fault] {
        guard !all.isEmpty else { return [] }
        let kinds = all.shuffled(using: &random).prefix(Int.random(in: 1...6, using: &random))
        return (0..<Int.random(in: 2...8, using: &random)).compactMap { _ in
            guard let kind = kinds.randomElement(using: &random) else { return nil }
            let at = span * Double.random(in: 0.1..<0.8, using: &random)
            return Fault(
                kind: kind, at: at, duration: min(span - at, .seconds(Double.random(in: 0.1..<6, using: &random))),
                target: Int.random(in: 0..<60, using: &random), other: Int.random(in: 0..<60, using: &random))
        }.sorted { $0.at < $1.at }
    }
}

/// Many clients at one node, which dies.
enum Crowd {
    /// Which seeds have one, unless they are told to.
    static func comes(with seed: UInt64) -> Bool { seed % 200 == 199 }

    /// - Returns: how many clients.
    static func size(of seed: UInt64, _ faults: [Fault]) -> Int {
        guard faults.contains(where: { $0.kind == .crowd }) else { return 0 }
        return seed % 5_000 == 4_999 ? 10_000 : 300
    }

    /// Late enough for all to be there.
    static func draw(using random: inout SeededRandom) -> Fault {
        Fault(
            kind: .crowd, at: .seconds(Double.random(in: 7..<9, using: &random)),
            duration: .seconds(Double.random(in: 2..<6, using: &random)), target: 0,
            other: Int.random(in: 0..<60, using: &random))
    }
}

/// As s with three digits.
func seconds(_ duration: Duration) -> String {
    let milliseconds = Int(duration.inSeconds * 1_000)
    let rest = "\(milliseconds % 1_000)"
    return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest + " s"
}
