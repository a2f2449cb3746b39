/// How many replicas each node should have: its share by weight, rounded down or up, within what its zone can take.
struct Quotas {
    /// A fraction of whole numbers, so that a share of exactly 6 is never 5.999.
    private struct Share {
        var numerator: Int
        var denominator: Int
        var floor: Int { numerator / denominator }
        var ceiling: Int { (numerator + denominator - 1) / denominator }
    }
    private struct Part {
        let weight: Int
        /// It can take no more.
        let capacity: Int
    }

    private let nodes: [BalancedNode]
    private let total: Int
    private let byNode: [Share]
    private let byZone: [Share]

    /// - Parameters:
    ///   - perNode: what one node can take: one replica of each shard.
    ///   - perZone: by zone.
    init(_ nodes: [BalancedNode], total: Int, perNode: Int, perZone: [Int]) {
        self.nodes = nodes
        self.total = total
        let zones = perZone.indices.map { zone in nodes.indices.filter { nodes[$0].zone == zone } }
        let zoneParts = zones.indices.map { zone in
            Part(weight: zones[zone].reduce(0) { $0 + nodes[$1].weight }, capacity: perZone[zone])
        }
        byZone = Self.split(Share(numerator: total, denominator: 1), among: zoneParts)
        var byNode = [Share](repeating: Share(numerator: 0, denominator: 1), count: nodes.count)
        for (zone, places) in zones.enumerated() {
            let parts = places.map { Part(weight: nodes[$0].weight, capacity: perNode) }
            for (place, share) in zip(places, Self.split(byZone[zone], among: parts)) { byNode[place] = share }
        }
        self.byNode = byNode
    }

    /// In proportion to weight; what is more than a part can take goes to the others.
    private static func split(_ whole: Share, among parts: [Part]) -> [Share] {
        var rest = whole
        var weight = parts.reduce(0) { $0 + $1.weight }
        var isFull = [Bool](repeating: false, count: parts.count)
        func isTooMuch(_ place: Int) -> Bool {
            !isFull[place] && rest.numerator * parts[place].weight > parts[place].capacity * rest.denominator * weight
        }
        while let place = parts.indices.first(where: isTooMuch) {
            isFull[place] = true
            rest.numerator -= parts[place].capacity * rest.denominator
            weight -= parts[place].weight
        }
        return parts.indices.map { place in
            isFull[place]
                ? Share(numerator: parts[place].capacity, denominator: 1)
                : Share(numerator: rest.numerator * parts[place].weight, denominator: rest.denominator * weight)
        }
    }

    /// - Parameter held: by node; who has enough to be rounded up comes first, so that nothing moves for a rounding.
    func rounded(held: [Int]) -> [Int] {
        var quotas = byNode.map(\.floor)
        var inZone = [Int](repeating: 0, count: byZone.count)
        for (node, quota) in zip(nodes, quotas) { inZone[node.zone] += quota }
        var left = total - quotas.reduce(0, +)
        let order = nodes.indices.sorted { first, second in
            let keeps = (held[first] > quotas[first], held[second] > quotas[second])
            return keeps.0 == keeps.1 ? nodes[first].hash > nodes[second].hash : keeps.0
        }
        let shares = byZone
        func roundUp(while hasRoom: (_ zone: Int, _ count: Int) -> Bool) {
            for place in order
            where left > 0 && quotas[place] < byNode[place].ceiling
                && hasRoom(nodes[place].zone, inZone[nodes[place].zone])
            {
                quotas[place] += 1
                inZone[nodes[place].zone] += 1
                left -= 1
            }
        }
        roundUp { zone, count in count < shares[zone].floor }
        roundUp { zone, count in count < shares[zone].ceiling }
        return quotas
    }
}
