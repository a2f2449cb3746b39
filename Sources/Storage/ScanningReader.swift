import Replication
import Threads

/// A reader of a log in this process: looks at its partitions in turn, and sleeps until something is appended.
package final class ScanningReader: LogReader {
    private struct Place {
        let partition: PartitionID
        var next: Offset
        /// That the end is here has been said.
        var saidEnd: Offset?
    }

    private struct State {
        /// The one to look at first is first.
        var places: [Place] = []
        var isWoken = false
        /// Counts appends, so that one between looking and sleeping is not missed.
        var appends: UInt64 = 0
        var isClosed = false
    }

    private let log: any PartitionedLog
    private let state: Monitor<State>

    /// - Parameter observe: has its argument called after every append, and when the log closes, until it says false.
    init(_ log: any PartitionedLog, observe: (@escaping @Sendable () -> Bool) -> Void) {
        let state = Monitor(State())
        self.log = log
        self.state = state
        observe { [weak state] in
            guard let state else { return false }
            return state.update { state in
                state.appends += 1
                return !state.isClosed
            }
        }
    }

    package func assign(_ partition: PartitionID, from offset: Offset) throws(LogError) {
        _ = try log.endOffset(of: partition)
        state.withLock { state in
            state.places.removeAll { $0.partition == partition }
            state.places.append(Place(partition: partition, next: offset))
        }
    }

    package func unassign(_ partition: PartitionID) throws(LogError) {
        state.withLock { $0.places.removeAll { $0.partition == partition } }
    }

    package func next(
        maxBytes: Int, waitingUpTo limit: Duration, into batch: inout LogBatch
    ) throws(LogError) -> LogReading {
        batch.removeAll()
        let deadline = ContinuousClock.now + limit
        while true {
            let (places, appends, isClosed) = state.withLock { ($0.places, $0.appends, $0.isClosed) }
            if isClosed { throw .closed }
            _ = try log.endOffset(of: PartitionID(0))  // Says so when the log is closed.
            for place in places {
                if let reading = try look(at: place, maxBytes, &batch) { return reading }
            }
            let left = deadline - ContinuousClock.now
            guard left > .zero else { break }
            let isWoken = state.when({ $0.isWoken || $0.isClosed || $0.appends != appends }, orAfter: left) { state in
                defer { state.isWoken = false }
                return state.isWoken
            }
            if isWoken { break }
        }
        return .idle
    }

    package func wake() { state.update { $0.isWoken = true } }

    package func close() { state.update { $0.isClosed = true } }

    private func look(at place: Place, _ maxBytes: Int, _ batch: inout LogBatch) throws(LogError) -> LogReading? {
        let end = try log.endOffset(of: place.partition)
        guard place.next <= end else {
            try unassign(place.partition)
            return .shortened(place.partition, asked: place.next, end: end)
        }
        do throws(LogError) {
            try log.read(place.partition, from: place.next, maxBytes: maxBytes, into: &batch)
        } catch {
            guard case .truncated(let partition, let asked, let earliest) = error else { throw error }
            try unassign(partition)
            return .truncated(partition, asked: asked, earliest: earliest)
        }
        if let last = batch.entries.last {
            move(Place(partition: place.partition, next: last.offset + 1, saidEnd: place.saidEnd))
            return .records(place.partition)
        }
        guard place.saidEnd != place.next else { return nil }
        move(Place(partition: place.partition, next: place.next, saidEnd: place.next))
        return .end(place.partition, place.next)
    }

    /// The next look begins with another partition.
    private func move(_ place: Place) {
        state.withLock { state in
            state.places.removeAll { $0.partition == place.partition }
            state.places.append(place)
        }
    }
}

extension MemoryLog: FollowableLog {
    package func makeReader() throws(LogError) -> any LogReader {
        _ = try endOffset(of: PartitionID(0))
        return ScanningReader(self) { onAppend($0) }
    }
}

extension SQLiteLog: FollowableLog {
    package func makeReader() throws(LogError) -> any LogReader {
        _ = try endOffset(of: PartitionID(0))
        return ScanningReader(self) { observers.add($0) }
    }
}
