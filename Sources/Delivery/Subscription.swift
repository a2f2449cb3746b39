import Telemetry

/// Which streams a subscription is about: one by name, or all of a kind.
package enum StreamPattern: Hashable, Sendable, CustomStringConvertible {
    case one(StreamID)
    case all(StreamKind)

    /// Reads `chassis/GR86-006-7` or `chassis/*`.
    package init?(_ text: String) {
        guard let id = StreamID(text) else { return nil }
        self = id.id == "*" ? .all(id.kind) : .one(id)
    }

    package func matches(_ stream: StreamID) -> Bool {
        switch self {
        case .one(let id): id == stream
        case .all(let kind): kind == stream.kind
        }
    }

    package var description: String {
        switch self {
        case .one(let id): id.description
        case .all(let kind): "\(kind.rawValue)/*"
        }
    }
}

/// Where a subscription begins.
package enum From: Hashable, Sendable {
    /// What comes next.
    case latest
    /// All that the log still has.
    case earliest
    /// The first point at or after.
    case time(Timestamp)
    /// After what is handled. A stream that is not named is new to the client and comes from its first point.
    case positions([StreamID: Position])
}

/// What happens when a client is slower than a stream.
package enum Behavior: String, CaseIterable, Sendable {
    /// Nothing is left out.
    case every
    /// Only the newest; what it stands for is counted.
    case latest
}

/// What a client asks for.
package struct SubscribeRequest: Hashable, Sendable {
    package var id: String
    package var streams: [StreamPattern]
    package var include: [OutputKind]
    package var from: From
    package var behavior: Behavior

    package init(
        id: String, streams: [StreamPattern], include: [OutputKind] = OutputKind.allCases, from: From = .latest,
        behavior: Behavior = .every
    ) {
        self.id = id
        self.streams = streams
        self.include = include
        self.from = from
        self.behavior = behavior
    }
}

extension OutputKind {
    /// The name in `include`.
    package var includeName: String {
        switch self {
        case .point: "telemetry"
        case .insight: "insights"
        case .alert: "alerts"
        }
    }
    /// The `type` of the update that carries it.
    package var updateType: String {
        switch self {
        case .point: "telemetry_update"
        case .insight: "insight_update"
        case .alert: "alert_update"
        }
    }
}
