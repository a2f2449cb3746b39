import Simulation

/// Who hears whom. Nodes are numbered from 0, the log is −1 and clients are numbered from 1,000.
struct Network {
    static let log = -1
    static func client(_ number: Int) -> Int { 1_000 + number }

    private struct Link: Hashable {
        let from: Int
        let to: Int
    }
    private var blocked: [Link: Int] = [:]
    /// Of datagrams.
    var loss = 0.0
    var duplication = 0.0
    var extraDelay = Duration.zero

    mutating func block(_ from: Int, _ to: Int) { blocked[Link(from: from, to: to), default: 0] += 1 }
    mutating func unblock(_ from: Int, _ to: Int) {
        let link = Link(from: from, to: to)
        let count = (blocked[link] ?? 1) - 1
        blocked[link] = count == 0 ? nil : count
    }
    func carries(_ from: Int, _ to: Int) -> Bool { blocked.isEmpty || blocked[Link(from: from, to: to)] == nil }
    func connects(_ one: Int, _ other: Int) -> Bool { carries(one, other) && carries(other, one) }

    func delay(using random: inout SeededRandom) -> Duration {
        .microseconds(Int.random(in: 100...2_000, using: &random)) + extraDelay
            * Double.random(in: 0..<1, using: &random)
    }
}

/// What was sent one way over a connection: it arrives in order, later where the network is in the way.
struct Pipe<Message> {
    private var waiting: [(due: Duration, message: Message)] = []
    private var last = Duration.zero
    var count: Int { waiting.count }

    /// - Returns: when it arrives.
    mutating func send(_ message: Message, at due: Duration) -> Duration {
        last = max(last, due)
        waiting.append((last, message))
        return last
    }

    mutating func take(until now: Duration) -> Message? {
        guard let first = waiting.first, first.due <= now else { return nil }
        return waiting.removeFirst().message
    }
    mutating func removeAll() { waiting.removeAll() }
}
