import Client
import Delivery
import JSON
import Replication
import Simulation

/// A node that takes publishes: slow to store, sometimes full, sometimes busy, and it forgets what is under way when a
/// connection breaks. Repeats are dropped as replicas do it.
struct LogNode: SimulatedNode {
    private struct Publish {
        let sequence: UInt64
        let records: [Int]
        let badIndexes: [Int]
    }
    private struct Publisher {
        var waiting: [Publish] = []
        var undone: Set<UInt64> = []
        var highest: UInt64 = 0
        var expects: UInt64?
        var rejected: [(sequence: UInt64, index: Int)] = []
        var answers: [String] = []
    }

    private var publishers: [Int: Publisher] = [:]
    private var windows = SourceWindows()
    /// What a replica folds: record numbers, repeats dropped.
    private(set) var applied: [Int] = []
    private(set) var repeats = 0
    /// How far back a repeat may have to be looked for.
    private(set) var spanMax: UInt64 = 0
    var isAwkward = true

    mutating func receive(_ message: [UInt8], on wire: Int, using random: inout SeededRandom) {
        guard let json = try? JSONValue.parse(message) else { return }
        var publisher = publishers[wire] ?? Publisher()
        defer { publishers[wire] = publisher }
        guard json["type"]?.string == "publish" else { return publisher.answers.append("{\"type\":\"pong\"}") }
        let sequence = UInt64(json["source_seq"]?.int ?? 0)
        let numbers = json["records"]?.array?.map { $0["n"]?.int } ?? []
        let isBusy = isAwkward && Int.random(in: 0..<12, using: &random) == 0
        if publisher.expects.map({ $0 != sequence }) ?? isBusy {
            publisher.expects = min(publisher.expects ?? sequence, sequence)
            return publisher.answers.append(error("overloaded", sequence, retryAfter: 50))
        }
        publisher.expects = nil
        guard numbers.contains(where: { $0 != nil }) || numbers.isEmpty else {
            return publisher.answers.append(error("not_a_number", sequence, retryAfter: nil))
        }
        publisher.highest = max(publisher.highest, sequence)
        publisher.undone.insert(sequence)
        spanMax = max(spanMax, sequence - min(publisher.undone.min() ?? sequence, sequence))
        let bad = numbers.indices.filter { numbers[$0] == nil }
        publisher.waiting.append(Publish(sequence: sequence, records: numbers.compactMap { $0 }, badIndexes: bad))
    }

    mutating func closed(_ wire: Int) { publishers[wire] = nil }

    mutating func send(on wire: Int, using random: inout SeededRandom) -> [[UInt8]] {
        guard var publisher = publishers[wire] else { return [] }
        let before = publisher.undone.count
        for _ in 0..<(isAwkward ? Int.random(in: 0...4, using: &random) : 1_000) where !publisher.waiting.isEmpty {
            let publish = publisher.waiting.removeFirst()
            if isAwkward, Int.random(in: 0..<15, using: &random) == 0 {
                publisher.answers.append(error("log_full", publish.sequence, retryAfter: 80))
            } else {
                append(publish)
                publisher.undone.remove(publish.sequence)
                publisher.rejected += publish.badIndexes.map { (publish.sequence, $0) }
            }
        }
        if isAwkward, Int.random(in: 0..<60, using: &random) == 0 {
            publisher.answers.append("{\"type\":\"moved\",\"to\":[\"ws://a\"]}")
        }
        if publisher.undone.count < before { publisher.answers.append(ack(&publisher)) }
        defer {
            publisher.answers = []
            publishers[wire] = publisher
        }
        return publisher.answers.map { Array($0.utf8) } + [Array("{\"type\":\"heartbeat\",\"positions\":{}}".utf8)]
    }

    private mutating func append(_ publish: Publish) {
        let source = Array("test".utf8)
        let isNew = source.withUnsafeBytes { windows.accept($0, publish.sequence, at: UInt64(applied.count)) }
        if isNew { applied += publish.records } else { repeats += 1 }
    }

    private func ack(_ publisher: inout Publisher) -> String {
        let through = publisher.undone.min().map { $0 - 1 } ?? publisher.highest
        let told = publisher.rejected.filter { $0.sequence <= through }.map {
            "{\"source_seq\":\($0.sequence),\"index\":\($0.index),\"field\":\"n\",\"value\":\"x\",\"reason\":\"not_a_number\",\"message\":\"n is x\"}"
        }
        publisher.rejected.removeAll { $0.sequence <= through }
        return
            "{\"type\":\"ack\",\"source\":\"test\",\"through\":\(through),\"rejected\":[\(told.joined(separator: ","))]}"
    }

    private func error(_ code: String, _ sequence: UInt64, retryAfter: Int?) -> String {
        let retry = retryAfter.map { ",\"retry_after_ms\":\($0)" } ?? ""
        return
            "{\"type\":\"error\",\"code\":\"\(code)\",\"message\":\"no\",\"source\":\"test\",\"source_seq\":\(sequence)\(retry)}"
    }
}
