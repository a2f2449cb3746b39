/// Whom to probe next: everyone once in each round, in an order of chance; before them those somebody suspects.
///
/// Source: SWIM, section 4.3: with round robin the longest time to the first probe is bounded. A node that joins gets a
/// random place in the round.
struct ProbeOrder: Sendable {
    private var round: [NodeID] = []
    private var next = 0
    private var urgent: [NodeID] = []

    mutating func begin(with nodes: [NodeID], using random: inout some RandomNumberGenerator) {
        (round, next) = (nodes.shuffled(using: &random), 0)
    }
    mutating func insert(_ node: NodeID, using random: inout some RandomNumberGenerator) {
        guard !round.contains(node) else { return }
        round.insert(node, at: Int.random(in: next...round.count, using: &random))
    }
    mutating func check(_ node: NodeID) { if !urgent.contains(node) { urgent.append(node) } }

    /// - Parameter isWanted: nodes for which it is false leave the round.
    mutating func pop(where isWanted: (NodeID) -> Bool, using random: inout some RandomNumberGenerator) -> NodeID? {
        while !urgent.isEmpty {
            let node = urgent.removeFirst()
            if isWanted(node) { return node }
        }
        while true {
            if next == round.count {
                guard !round.isEmpty else { return nil }
                round.shuffle(using: &random)
                next = 0
            }
            if isWanted(round[next]) {
                next += 1
                return round[next - 1]
            }
            round.remove(at: next)
        }
    }
}

extension ProbeOrder {
    /// Up to `count` different nodes by chance. Tries a bounded number of places, so that few are found where few are wanted.
    func sample(
        _ count: Int, using random: inout some RandomNumberGenerator, where isWanted: (NodeID) -> Bool
    ) -> [NodeID] {
        guard round.count > 3 * count else {
            return Array(round.filter(isWanted).shuffled(using: &random).prefix(count))
        }
        var chosen: [NodeID] = []
        for _ in 0..<count * 4 + 8 where chosen.count < count {
            let node = round[Int.random(in: round.indices, using: &random)]
            if isWanted(node), !chosen.contains(node) { chosen.append(node) }
        }
        return chosen
    }
}
