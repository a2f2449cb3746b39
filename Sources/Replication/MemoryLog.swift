import Synchronization
import Telemetry

/// A log without a disk, for tests, simulation and demos: durable means as long as the object lives.
package final class MemoryLog: RetainingLog {
    package let topic: String
    package let partitionCount: Int
    private let clock: (@Sendable () -> Timestamp)?
    fileprivate let state: Mutex<State>
    private let observers = AppendObservers()

    fileprivate struct State {
        var partitions: [Partition]
        var isClosed = false
    }

    fileprivate struct Partition {
        var earliest = Offset.zero
        var end = Offset.zero
        var first: FirstRecord?
        var chunks = RecordChunks()
        /// When each chunk was stored.
        var times: ArraySlice<Timestamp> = []
        var bytes = 0
    }

    /// - Parameter clock: wall time, for retention by age; without one nothing ages.
    package init(topic: String, partitionCount: Int = 12, clock: (@Sendable () -> Timestamp)? = nil) {
        precondition(partitionCount > 0, "a log needs a partition")
        self.topic = topic
        self.partitionCount = partitionCount
        self.clock = clock
        state = Mutex(State(partitions: Array(repeating: Partition(), count: partitionCount)))
    }

    package func append(_ records: [NewRecord]) throws(LogError) -> [Offset] {
        for record in records { try check(record.partition) }
        let now = clock?()
        defer { observers.notify() }
        return try withPartitions { (partitions) throws(LogError) in
            var ends = partitions.map(\.end)
            var chunks = [LogBatch](repeating: LogBatch(), count: partitionCount)
            let offsets = records.map { record in
                let number = record.partition.number
                defer { ends[number] = ends[number] + 1 }
                if partitions[number].first == nil {
                    partitions[number].first = FirstRecord(
                        offset: ends[number], timestamp: record.timestamp, key: record.key)
                }
                chunks[number].append(record, at: ends[number])
                return ends[number]
            }
            for (number, chunk) in chunks.enumerated() where !chunk.entries.isEmpty {
                partitions[number].end = ends[number]
                partitions[number].bytes += chunk.bytes.count
                partitions[number].chunks.append(chunk)
                partitions[number].times.append(now ?? Timestamp(microseconds: .max))
            }
            return offsets
        }
    }

    package func read(
        _ partition: PartitionID, from offset: Offset, maxBytes: Int, into batch: inout LogBatch
    ) throws(LogError) {
        batch.removeAll()
        let chunks = try with(partition) { (state) throws(LogError) in
            guard offset >= state.earliest else {
                throw .truncated(partition, asked: offset, earliest: state.earliest)
            }
            return offset < state.end ? state.chunks.chunks(from: offset, maxBytes: maxBytes) : []
        }
        for chunk in chunks where !batch.append(chunk, from: offset, maxBytes: maxBytes) { break }
    }

    package func earliestOffset(of partition: PartitionID) throws(LogError) -> Offset {
        try with(partition) { $0.earliest }
    }

    package func endOffset(of partition: PartitionID) throws(LogError) -> Offset { try with(partition) { $0.end } }

    package func lineage(of partition: PartitionID) throws(LogError) -> UInt64? {
        try with(partition) { $0.first }?.lineage(topic: topic, partition: partition)
    }

    @discardableResult
    package func remove(beyond retention: Retention, at now: Timestamp) throws(LogError) -> Int {
        let horizon = retention.horizon(at: now)
        return try withPartitions { (partitions) throws(LogError) in
            var removed = 0
            for number in partitions.indices {
                removed += partitions[number].remove(before: horizon, beyond: retention.bytesPerPartition)
            }
            return removed
        }
    }

    /// Has `observer` called after each append, and at the end, as long as it answers true.
    package func onAppend(_ observer: @escaping @Sendable () -> Bool) { observers.add(observer) }

    package func close() {
        state.withLock { $0.isClosed = true }
        observers.notify()
    }
}

extension MemoryLog {
    private func check(_ partition: PartitionID) throws(LogError) {
        guard (0..<partitionCount).contains(partition.number) else {
            throw .noSuchPartition(partition, count: partitionCount)
        }
    }

    private func with<Value>(
        _ partition: PartitionID, _ body: (borrowing Partition) throws(LogError) -> sending Value
    ) throws(LogError) -> sending Value {
        try check(partition)
        return try state.withLock { (state) throws(LogError) in
            guard !state.isClosed else { throw .closed }
            return try body(state.partitions[partition.number])
        }
    }

    private func withPartitions<Value>(
        _ body: (inout [Partition]) throws(LogError) -> sending Value
    ) throws(LogError) -> sending Value {
        try state.withLock { (state) throws(LogError) in
            guard !state.isClosed else { throw .closed }
            return try body(&state.partitions)
        }
    }
}

extension MemoryLog.Partition {
    fileprivate mutating func remove(before horizon: Timestamp?, beyond limit: Int?) -> Int {
        var removed = 0
        while let oldest = chunks.oldest, let time = times.first {
            let isOld = horizon.map { time < $0 } ?? false
            let isTooMuch = limit.map { bytes > $0 && chunks.count > 1 } ?? false
            guard isOld || isTooMuch else { break }
            _ = chunks.removeOldest()
            times.removeFirst()
            bytes -= oldest.bytes.count
            earliest = chunks.earliest ?? end
            removed += oldest.entries.count
        }
        return removed
    }
}
