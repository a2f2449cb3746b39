import Delivery
import Telemetry

/// How far a program is in one stream.
public struct StreamPosition: Sendable, Hashable, Codable {
    /// Names the log that the seqs count in.
    public var lineage: String
    /// All points up to here are handled.
    public var seq: UInt64
    /// All insights up to here are handled; `nil`: as far as `seq`.
    public var insight: UInt64?
    /// All alerts up to here are handled; `nil`: as far as `seq`.
    public var alert: UInt64?

    public init(lineage: String, seq: UInt64, insight: UInt64? = nil, alert: UInt64? = nil) {
        self.lineage = lineage
        self.seq = seq
        self.insight = insight
        self.alert = alert
    }

    init(_ position: Position) {
        self.init(
            lineage: position.lineage.description, seq: position.seq, insight: position.insight, alert: position.alert)
    }

    var position: Position? {
        Lineage(lineage).map { Position(lineage: $0, seq: seq, insight: insight, alert: alert) }
    }
}

/// How far a program is in each of its streams: save it, and go on from it after a restart.
///
/// ```swift
/// let updates = client.updates(of: "chassis/*", from: .positions(try load() ?? [:]))
/// for try await update in updates {
///     handle(update)
///     try save(updates.positions(after: update))  // JSON, by any Encoder
/// }
/// ```
public struct Positions: Sendable, Hashable, Codable, ExpressibleByDictionaryLiteral {
    /// By the stream's name, `chassis/GR86-006-7`.
    public var streams: [String: StreamPosition]

    public init(_ streams: [String: StreamPosition]) { self.streams = streams }
    public init(dictionaryLiteral elements: (String, StreamPosition)...) {
        streams = Dictionary(elements, uniquingKeysWith: { _, last in last })
    }
    public init(from decoder: any Decoder) throws {
        streams = try decoder.singleValueContainer().decode([String: StreamPosition].self)
    }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(streams)
    }

    public subscript(_ stream: String) -> StreamPosition? {
        get { streams[stream] }
        set { streams[stream] = newValue }
    }

    init(_ positions: [StreamID: Position]) {
        streams = Dictionary(
            positions.map { ($0.key.description, StreamPosition($0.value)) }, uniquingKeysWith: { first, _ in first })
    }

    func checked() throws(SlipstreamError) -> [StreamID: Position] {
        var checked: [StreamID: Position] = [:]
        for (name, position) in streams.sorted(by: { $0.key < $1.key }) {
            guard let stream = StreamID(name) else { throw .badStream(name) }
            guard let position = position.position else { throw .badPosition(stream: name) }
            checked[stream] = position
        }
        return checked
    }
}
