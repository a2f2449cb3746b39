import Replication
import struct Sharding.NodeID

/// Why a shard is restored although it was here: its state is not that of other replicas.
struct Distrust: Sendable, Equatable {
    /// Snapshots here are good up to this offset, as far as is known.
    let agreedAt: Offset
    /// Whose state is taken.
    let trusted: [NodeID]
}
