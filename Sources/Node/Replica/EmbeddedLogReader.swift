import Replication
import Threads

/// Follows partitions of a log in this process, which says itself when something was appended.
///
/// `@unchecked Sendable`: one thread owns it; what `wake` touches is `signal`.
final class EmbeddedLogReader: LogReader, @unchecked Sendable {
    private struct Signal {
        var isWoken = false
        var isClosed = false
    }

    private let log: any PartitionedLog
    private let signal = Monitor(Signal())
    private var next: [PartitionID: Offset] = [:]
    /// In their order, for taking turns.
    private var partitions: [PartitionID] = []
    private var turn = 0
    private var toldEnd: Set<PartitionID> = []

    init(_ log: any PartitionedLog) { self.log = log }

    func assign(_ partition: PartitionID, from offset: Offset) {
        next[partition] = offset
        toldEnd.remove(partition)
        partitions = next.keys.sorted()
    }

    func unassign(_ partition: PartitionID) {
        next[partition] = nil
        partitions = next.keys.sorted()
    }

    func next(maxBytes: Int, waitingUpTo limit: Duration, into batch: inout LogBatch) throws(LogError) -> LogReading {
        batch.removeAll()
        if let reading = try look(maxBytes, &batch) { return reading }
        let isClosed = signal.when({ $0.isWoken || $0.isClosed }, orAfter: limit) { signal in
            signal.isWoken = false
            return signal.isClosed
        }
        if isClosed { throw .closed }
        return try look(maxBytes, &batch) ?? .idle
    }

    private func look(_ maxBytes: Int, _ batch: inout LogBatch) throws(LogError) -> LogReading? {
        for step in partitions.indices {
            let index = (turn + step) % partitions.count
            let partition = partitions[index]
            guard let reading = try look(at: partition, maxBytes, &batch) else { continue }
            turn = index + 1
            return reading
        }
        return nil
    }

    private func look(
        at partition: PartitionID, _ maxBytes: Int, _ batch: inout LogBatch
    ) throws(LogError) -> LogReading? {
        let offset = next[partition] ?? .zero
        let end = try log.endOffset(of: partition)
        if end <= offset {
            guard toldEnd.insert(partition).inserted else { return nil }
            return end < offset ? .shortened(partition, asked: offset, end: end) : .end(partition, end)
        }
        toldEnd.remove(partition)
        do throws(LogError) {
            try log.read(partition, from: offset, maxBytes: maxBytes, into: &batch)
        } catch {
            guard case .truncated(_, let asked, let earliest) = error else { throw error }
            return .truncated(partition, asked: asked, earliest: earliest)
        }
        guard let last = batch.entries.last else { return nil }
        next[partition] = last.offset + 1
        return .records(partition)
    }

    func wake() { signal.update { $0.isWoken = true } }
    func close() { signal.update { $0.isClosed = true } }
}
