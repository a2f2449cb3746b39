import struct Sharding.Membership

/// All TCP connections of a node, never more than `countMax`: the one that was silent the longest makes room.
struct StreamTable {
    static let countMax = 64
    /// Silence after which one is closed.
    static let silenceMax = Duration.seconds(5)
    /// Of frames not yet whole, in all connections together.
    static let bufferedMax = 4 * FrameAssembler.bytesMax

    private(set) var streams: [Membership.StreamID: PeerStream] = [:]
    private var lastNumber = 0

    subscript(id: Membership.StreamID) -> PeerStream? { streams[id] }

    mutating func add(_ stream: PeerStream) -> Membership.StreamID {
        if streams.count >= Self.countMax,
            let quietest = streams.min(by: { $0.value.lastActivity < $1.value.lastActivity })
        {
            streams[quietest.key] = nil
        }
        lastNumber += 1
        let id = Membership.StreamID(lastNumber)
        streams[id] = stream
        return id
    }

    mutating func close(_ id: Membership.StreamID) { streams[id] = nil }

    /// - Returns: `nil` for one that is closed.
    mutating func change<Value>(_ id: Membership.StreamID, _ body: (inout PeerStream) -> Value) -> Value? {
        guard let index = streams.index(forKey: id) else { return nil }
        return body(&streams.values[index])
    }

    mutating func closeSilent(at now: Duration) {
        guard !streams.isEmpty else { return }
        streams = streams.filter { now - $0.value.lastActivity < Self.silenceMax }
        while streams.values.reduce(0, { $0 + $1.input.bufferedCount }) > Self.bufferedMax,
            let largest = streams.max(by: { $0.value.input.bufferedCount < $1.value.input.bufferedCount })
        {
            streams[largest.key] = nil
        }
    }

    /// When the next one will have been silent for too long.
    var deadline: Duration? { streams.values.map { $0.lastActivity + Self.silenceMax }.min() }
}
