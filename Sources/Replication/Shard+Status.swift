import Insight
import Telemetry

/// What one stream's fold can tell.
package struct StreamStatus: Sendable {
    package let id: StreamID
    /// Points accepted: the seq of the newest.
    package let seq: UInt64
    package let watermarks: [UInt64]
    package let counts: PointAssembler.Counters
    /// Records dropped because their publisher had sent them before.
    package let repeats: UInt64
    package let stateHash: UInt64
    package let insight: [UInt8]
}

/// What a shard's fold can tell.
package struct ShardStatus: Sendable {
    package let partition: PartitionID
    package let lineage: UInt64?
    /// The offset of the next record to apply.
    package let next: Offset
    package let stateHash: UInt64
    package let accounting: Shard.Accounting
    package let streams: [StreamStatus]
}

extension Shard {
    package var status: ShardStatus {
        ShardStatus(
            partition: partition, lineage: lineage, next: next, stateHash: stateHash, accounting: accounting,
            streams: states.sorted { $0.id < $1.id }.map { state in
                StreamStatus(
                    id: state.id, seq: state.lastSaid[0], watermarks: state.lastSaid, counts: state.assembler.counters,
                    repeats: state.accounting.repeats, stateHash: state.hash, insight: insight(of: state.id))
            })
    }

    /// Equal on all replicas that applied the same records. Taken over the streams in order of their names, so that the
    /// order in which they were first seen does not count.
    package var stateHash: UInt64 {
        var writer = BinaryWriter()
        for state in states.sorted(by: { $0.id < $1.id }) {
            writer.write(state.id.description)
            writer.write(state.hash)
        }
        return StableHash.hash(writer.bytes)
    }

    /// Streams with rows that wait for more of their instant.
    package var openStreams: [StreamID] { states.filter(\.assembler.isOpen).map(\.id) }
}
