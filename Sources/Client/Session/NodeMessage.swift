import Delivery
import Telemetry

/// What a node says on `/v1/stream` (docs/protocol.md).
package enum NodeMessage: Sendable {
    case subscribed(id: String, positions: [StreamID: Position])
    case output(OutputMessage)
    case resync(ResyncMessage)
    case heartbeat([StreamID: Position])
    case ack(source: String, through: UInt64, rejected: [RejectedElement])
    case error(ErrorMessage)
    /// The node is about to go; these others have what it served, the best first.
    case moved(to: [String])
    case nodes(NodeList)
    case pong
    /// A type this version does not know; newer nodes may send some.
    case unknown(type: String)
}

/// A telemetry, insight or alert update.
package struct OutputMessage: Sendable {
    package var kind: OutputKind
    package var stream: StreamID
    package var lineage: Lineage
    package var previous: UInt64
    package var seq: UInt64
    /// How many points the only one stands for, where the subscription conflates.
    package var conflated: UInt64?
    package var body: MessageBody
    /// `meta.generated_at`.
    package var time: Timestamp?
}

/// All bytes of a message and where in them the elements of `data` stand: the points of a telemetry update, else one
/// value.
package struct MessageBody: Sendable {
    package let bytes: [UInt8]
    package var elements: ArraySlice<Range<Int32>>

    func slice(_ element: Range<Int32>) -> Range<Int> { Int(element.lowerBound)..<Int(element.upperBound) }
}

package struct ResyncMessage: Sendable {
    package var stream: StreamID
    package var reason: String
    package var position: Position
    package var state: MessageBody
}

package struct ErrorMessage: Sendable, Equatable {
    package var code: String
    package var message: String
    /// The subscription it answers.
    package var id: String?
    /// The publish it answers.
    package var source: String?
    package var sourceSeq: UInt64?
    package var retryAfter: Duration?
}

/// An element of a publish that the node did not take.
package struct RejectedElement: Sendable, Equatable {
    package var sourceSeq: UInt64
    /// Its place in `records`, from 0.
    package var index: Int
    package var field: String
    package var value: String
    package var reason: String
    package var message: String
}

/// Why a message of a node cannot be used.
package struct MessageError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
