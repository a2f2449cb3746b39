/// News on its way: each piece goes out a limited number of times, what went out least first.
///
/// Source: SWIM, section 4.1: λ·log n transmissions reach everyone with high probability.
struct BroadcastQueue: Sendable {
    private enum Topic: Equatable, Sendable {
        case life(NodeID, accuser: NodeID?)
        case table(NodeID)
    }
    private struct Entry: Sendable {
        let topic: Topic
        let bytes: [UInt8]
        var sent = 0
    }

    /// In order of `sent`, the newest first among equals.
    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }

    /// Takes the place of older news of the same. A suspicion keeps those of other accusers beside it.
    mutating func add(_ item: Packet.Item) {
        let topic = Self.topic(of: item)
        entries.removeAll { Self.isReplaced($0.topic, by: topic) }
        entries.insert(Entry(topic: topic, bytes: item.bytes), at: 0)
    }

    func contains(lifeOf node: NodeID) -> Bool { entries.contains { $0.topic == .life(node, accuser: nil) } }

    /// Appends what fits to a packet, as gone out once more.
    mutating func fill(_ writer: inout WireWriter, limit: Int) {
        guard !entries.isEmpty else { return }
        var left: [Entry] = []
        var taken: [Entry] = []
        for var entry in entries {
            guard writer.bytes.count + entry.bytes.count <= Packet.bytesMax else {
                left.append(entry)
                continue
            }
            writer.writeRaw(entry.bytes)
            entry.sent += 1
            if entry.sent < limit { taken.append(entry) }
        }
        entries = left.isEmpty ? taken : merge(left, taken)
    }

    /// Both are in order already.
    private func merge(_ first: [Entry], _ second: [Entry]) -> [Entry] {
        var merged: [Entry] = []
        merged.reserveCapacity(first.count + second.count)
        var (one, other) = (first[...], second[...])
        while let left = one.first, let right = other.first {
            merged.append(left.sent <= right.sent ? one.removeFirst() : other.removeFirst())
        }
        merged.append(contentsOf: one)
        merged.append(contentsOf: other)
        return merged
    }

    private static func topic(of item: Packet.Item) -> Topic {
        switch item {
        case .claim(let claim): .life(claim.node, accuser: claim.accuser)
        case .table(let node, _): .table(node)
        }
    }

    private static func isReplaced(_ old: Topic, by new: Topic) -> Bool {
        if case .life(let node, nil) = new, case .life(node, _) = old { return true }
        return old == new
    }
}
