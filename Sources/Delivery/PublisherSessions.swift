/// What one connection published and is not yet told about. Pure; whoever owns the connection appends and answers.
package struct PublisherSessions {
    /// Per source: publishes that wait for the log, and how far all before are durable.
    private struct Source {
        var waiting: Set<UInt64> = []
        var highest: UInt64 = 0
        var rejected: [Rejection] = []
        /// A publish that was turned away: everything after it is too, until it comes again, so that order is kept.
        var expects: UInt64?

        /// Every publish up to here that came on this connection is durable.
        var through: UInt64 { waiting.min().map { $0 - 1 } ?? highest }
    }

    private var sources: [String: Source] = [:]

    package static let waitingMax = 256
    package static let sourcesMax = 64

    package init() {}

    /// Whether something is on its way to the log.
    package var isWaiting: Bool { sources.values.contains { !$0.waiting.isEmpty } }

    /// Whether a publish may be looked at. If not, it is turned away and so is what follows it.
    package mutating func admits(_ name: String, _ sequence: UInt64) -> Bool {
        guard let source = sources[name] else { return sources.count < Self.sourcesMax }
        if let expected = source.expects { return sequence == expected }
        if source.waiting.count < Self.waitingMax { return true }
        turnAway(name, sequence)
        return false
    }

    /// The log has no room for it, or did not store it.
    package mutating func turnAway(_ name: String, _ sequence: UInt64) {
        guard let source = sources[name] else { return }
        sources[name]?.expects = min(source.expects ?? sequence, sequence)
    }

    /// Nothing of it can be read. It will not come again: what follows it may.
    package mutating func refused(_ name: String) { sources[name]?.expects = nil }

    /// It was looked at.
    /// - Parameter isOffered: some of it is on its way to the log; `stored` follows when it is there.
    package mutating func took(_ name: String, _ sequence: UInt64, rejected: [Rejection], isOffered: Bool) {
        var source = sources[name] ?? Source()
        source.rejected += rejected
        // One that comes again after it became durable waits for nothing: the publisher may have been told of it, and
        // does not listen when this attempt fails.
        if isOffered, sequence > source.highest { source.waiting.insert(sequence) }
        source.highest = max(source.highest, sequence)
        source.expects = nil
        sources[name] = source
    }

    /// It is durable. One that could not be stored stays waiting: nothing from it on is acknowledged until it has come
    /// again and is durable.
    package mutating func stored(_ name: String, _ sequence: UInt64) { sources[name]?.waiting.remove(sequence) }

    /// How far all is durable, and what of it was rejected and not yet told.
    package mutating func acknowledgement(for name: String) -> (through: UInt64, rejected: [Rejection])? {
        guard var source = sources[name] else { return nil }
        let through = source.through
        if let expected = source.expects, expected <= through { source.expects = nil }
        let told = source.rejected.filter { ($0.sequence ?? 0) <= through }
        source.rejected.removeAll { ($0.sequence ?? 0) <= through }
        sources[name] = source
        return (through, told)
    }
}
