/// What a stream is about. One Kafka topic per kind.
package enum StreamKind: String, CaseIterable, Sendable, Hashable {
    case chassis
    case baseline
}

/// Names one stream: `kind/id`, e.g. `chassis/GR86-006-7`.
package struct StreamID: Hashable, Sendable, CustomStringConvertible {
    package let kind: StreamKind
    package let id: String

    package init(_ kind: StreamKind, _ id: String) {
        self.kind = kind
        self.id = id
    }

    /// Parses `kind/id`; `nil` when the kind is unknown or the id is empty.
    package init?(_ text: String) {
        let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        guard slash < text.endIndex, let kind = StreamKind(rawValue: String(text[..<slash])) else { return nil }
        let id = text[text.utf8.index(after: slash)...]
        guard !id.isEmpty else { return nil }
        self.init(kind, String(id))
    }

    package var description: String { "\(kind.rawValue)/\(id)" }
}

extension StreamID: Comparable {
    package static func < (left: StreamID, right: StreamID) -> Bool {
        (left.kind.rawValue, left.id) < (right.kind.rawValue, right.id)
    }
}
