import struct Sharding.NodeID
import Telemetry

/// Where a shard's outputs come from.
package enum OutputSource: Hashable, Sendable {
    case replica
    case peer(NodeID)
}

/// A stream of a shard as it is where the shard's outputs come from.
package struct RestoredStream: Sendable {
    package let id: StreamID
    /// Per kind: what it had said.
    package let watermarks: [UInt64]
    /// The latest; empty before the first.
    package let insight: [UInt8]

    package init(id: StreamID, watermarks: [UInt64], insight: [UInt8]) {
        self.id = id
        self.watermarks = watermarks
        self.insight = insight
    }
}
