import Replication
import Threads

/// Takes records from threads that must not wait, and appends them to a log on a thread of its own. All that waits goes
/// into one append, so the more is waiting, the cheaper each record is.
package final class LogWriter: Sendable {
    package struct Settings: Sendable {
        /// What may wait, the append under way included. Beyond it `offer` answers false.
        package var queueBytesMax = 64 << 20
        package var queueRecordsMax = 1_000_000
        /// One append takes no more than about this, so that no one waits long for others.
        package var commitBytesMax = 8 << 20

        package init() {}
    }

    package struct Metrics: Sendable, Equatable {
        package var queueBytes = 0
        package var queueRecords = 0
        package var commits = 0
        package var commitsFailed = 0
        package var records = 0
        /// Of offers that found the queue full.
        package var recordsRefused = 0
        package var commitSeconds = 0.0
        package var commitSecondsMax = 0.0
    }

    package typealias Completion = @Sendable (Result<[Offset], LogError>) -> Void

    fileprivate struct Offer: Sendable {
        let records: [NewRecord]
        let bytes: Int
        let lane: AppendLane?
        let completion: Completion
    }
    fileprivate struct State {
        var waiting: [Offer] = []
        var isClosing = false
        var worker: Worker?
        var metrics = Metrics()
    }

    private let log: any PartitionedLog
    private let settings: Settings
    fileprivate let state = Monitor(State())

    package init(_ log: any PartitionedLog, settings: Settings = Settings()) throws(LogError) {
        self.log = log
        self.settings = settings
        let worker = try Worker.start("log writer") { [self] in run() }
        state.withLock { $0.worker = worker }
    }

    /// Hands over records to append; never blocks.
    ///
    /// - Parameters:
    ///   - lane: what was offered in one lane stands in the log in that order, and without holes.
    ///   - completion: is called once, on the writer's thread, after the records are durable or were refused
    ///     (then none of them is stored). It must be quick. It is not called when the answer is false.
    /// - Returns: false when the queue is full or closed: try again later.
    package func offer(
        _ records: [NewRecord], in lane: AppendLane? = nil, completion: @escaping Completion
    ) -> Bool {
        if let stray = records.first(where: { !(0..<log.partitionCount).contains($0.partition.number) }) {
            // Refused by itself: in a common append it would take its neighbours along.
            completion(.failure(.noSuchPartition(stray.partition, count: log.partitionCount)))
            return true
        }
        let bytes = records.reduce(0) { $0 + $1.queueBytes }
        let offer = Offer(records: records, bytes: bytes, lane: lane, completion: completion)
        return state.update { state in
            guard !state.isClosing, hasRoom(for: offer, state.metrics) else {
                state.metrics.recordsRefused += records.count
                return false
            }
            state.metrics.queueBytes += offer.bytes
            state.metrics.queueRecords += records.count
            state.waiting.append(offer)
            return true
        }
    }

    package var metrics: Metrics { state.withLock { $0.metrics } }

    /// Appends what is waiting, then ends. The log stays open.
    package func close() {
        let worker = state.update { state in
            state.isClosing = true
            return state.worker.take()
        }
        worker?.join()
    }

    /// An empty queue takes anything, else what is larger than the queue could never be stored.
    private func hasRoom(for offer: Offer, _ metrics: Metrics) -> Bool {
        metrics.queueRecords == 0
            || metrics.queueBytes + offer.bytes <= settings.queueBytesMax
                && metrics.queueRecords + offer.records.count <= settings.queueRecordsMax
    }
}

extension LogWriter {
    private func run() {
        while true {
            let group = state.when({ !$0.waiting.isEmpty || $0.isClosing }) { state in
                state.take(upTo: settings.commitBytesMax)
            }
            if group.isEmpty { return }
            let open = group.filter { $0.lane?.failure == nil }
            for late in group { if let failure = late.lane?.failure { late.completion(.failure(failure)) } }
            if !open.isEmpty { commit(open) }
            state.withLock { $0.metrics.release(group) }
        }
    }

    private func commit(_ group: [Offer]) {
        let start = ContinuousClock.now
        let result = Result { () throws(LogError) in try log.append(group.flatMap(\.records)) }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        state.withLock { $0.metrics.count(group, result, seconds: seconds) }
        if case .failure(let error) = result { for offer in group { offer.lane?.close(error) } }
        var index = 0
        for offer in group {
            let range = index..<index + offer.records.count
            index = range.upperBound
            offer.completion(result.map { Array($0[range]) })
        }
    }
}

extension LogWriter.State {
    fileprivate mutating func take(upTo bytesMax: Int) -> [LogWriter.Offer] {
        var bytes = 0
        var count = 0
        while count < waiting.count, bytes < bytesMax {
            bytes += waiting[count].bytes
            count += 1
        }
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }
}

extension LogWriter.Metrics {
    fileprivate mutating func count(
        _ group: [LogWriter.Offer], _ result: Result<[Offset], LogError>, seconds: Double
    ) {
        commitSeconds += seconds
        commitSecondsMax = max(commitSecondsMax, seconds)
        switch result {
        case .success(let offsets):
            commits += 1
            records += offsets.count
        case .failure: commitsFailed += 1
        }
    }

    fileprivate mutating func release(_ group: [LogWriter.Offer]) {
        queueBytes -= group.reduce(0) { $0 + $1.bytes }
        queueRecords -= group.reduce(0) { $0 + $1.records.count }
    }
}

extension NewRecord {
    /// About what it takes in memory.
    fileprivate var queueBytes: Int {
        MemoryLayout<NewRecord>.stride + (key?.count ?? 0) + (value?.count ?? 0) + 64
    }
}
