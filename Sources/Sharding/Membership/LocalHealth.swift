/// How unwell this node itself seems to be: it rises when others' answers go missing and when others miss ours, and
/// stretches the node's own patience, so that a starved node does not accuse the healthy.
///
/// Source: Lifeguard, section IV-A (local health multiplier).
struct LocalHealth: Sendable {
    /// 0 is well.
    private(set) var score = 0
    private let max: Int

    init(max: Int) { self.max = max }

    mutating func change(by amount: Int) { score = Swift.min(max, Swift.max(0, score + amount)) }
    func scale(_ duration: Duration) -> Duration { duration * (score + 1) }
}
