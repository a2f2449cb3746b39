import Insight
import Telemetry

extension Shard {
    /// As `apply`, and hashes the state wherever the offset is a multiple of the spacing, so that replicas can be compared
    /// however their batches were cut.
    ///
    /// Hashing costs a pass over all streams. With many of them it is done at every second, third, … multiple only: that
    /// depends on the number of streams alone, so replicas in the same state hash at the same offsets.
    /// - Parameter hashed: takes an offset and the hash of the state after the records before it.
    package mutating func apply(
        _ batch: borrowing LogBatch, decoder: RecordDecoder, scratch: inout FoldScratch,
        hashingEvery spacing: Int64, into outputs: inout OutputBatch, hashed: (Offset, UInt64) -> Void
    ) {
        guard let last = batch.entries.last?.offset.value else { return }
        var mark = (next.value / spacing + 1) * spacing
        while last + 1 >= mark {
            apply(batch, until: Offset(mark), decoder: decoder, scratch: &scratch, into: &outputs)
            let stride = spacing * Int64(1 + streamCount / Shard.streamsHashedPerMark)
            if mark % stride == 0 { hashed(Offset(mark), stateHash) }
            mark += spacing
        }
        apply(batch, until: nil, decoder: decoder, scratch: &scratch, into: &outputs)
    }

    /// Keeps hashing a small part of folding.
    private static let streamsHashedPerMark = 256

    /// Makes the state wrong, as a fault of memory or of an engine would: its first stream's engine forgets everything.
    /// - Returns: false when there is no stream yet.
    package mutating func corrupt() -> Bool {
        guard let state = states.first else { return false }
        state.engine = .init(stream: state.id, tracks: tracks)
        return true
    }
}
