import Delivery
import Replication
import Storage
import Telemetry
import Threads

/// Reads old outputs from the log for clients that are too far back for the rings.
///
/// One thread, one piece of work at a time: a client that reads history never slows the live path by more than a thread
/// does. Cursors are kept between the chunks of one reader, and the one longest unused is given up when there are many;
/// it is made anew from the position when its reader comes back.
final class ReplayThread: Sendable {
    struct Environment: Sendable {
        let log: any PartitionedLog
        /// This node's own, then what nodes share, if they do: it may never have had the shard.
        let snapshots: [any SnapshotStore]
        let tracks: TrackTable
        let journal: Log
        let partitionOf: @Sendable (StreamID) -> PartitionID
    }

    /// A stretch of one stream that somebody wants.
    struct Request: Sendable {
        let stream: StreamID
        let watermarks: [UInt64]
        var time: Timestamp?
        var maxBytes = 256 << 10
    }

    enum Outcome: Sendable {
        /// Outputs after the watermarks, in order; empty at the end of the log.
        case outputs(StreamRing)
        /// What lies between the watermarks asked for and these is gone.
        case gap([UInt64], insight: [UInt8])
        case failed(String)
        /// The log does not answer.
        case unavailable(String)
    }

    private enum Order {
        case read(UInt64, Request, @Sendable (Outcome) -> Void)
        case forget(UInt64)
    }

    private struct State {
        var orders: [Order] = []
        var ends = false
    }

    private let state = Monitor(State())
    private let environment: Environment
    private static let cursorsMax = 64

    init(_ environment: Environment) { self.environment = environment }

    /// - Parameter key: names the cursor to go on with.
    /// - Parameter done: called on this thread.
    func read(_ key: UInt64, _ request: Request, done: @escaping @Sendable (Outcome) -> Void) {
        state.update { $0.orders.append(.read(key, request, done)) }
    }

    func forget(_ key: UInt64) { state.update { $0.orders.append(.forget(key)) } }

    func stop() { state.update { $0.ends = true } }

    /// The thread's life.
    func run() {
        var cursors: [(key: UInt64, cursor: ReplayCursor)] = []
        let decoder = RecordDecoder()
        while let order = next() {
            switch order {
            case .forget(let key): cursors.removeAll { $0.key == key }
            case .read(let key, let request, let done):
                let kept = cursors.firstIndex { $0.key == key }.map { cursors.remove(at: $0).cursor }
                let begun = Timestamp.monotonic
                let (outcome, cursor) = read(request, with: kept, decoder)
                tellSlow(request, since: begun)
                if let cursor { cursors.append((key, cursor)) }
                if case .unavailable = outcome { refuseWaiting(outcome) }
                if cursors.count > ReplayThread.cursorsMax { cursors.removeFirst() }
                done(outcome)
            }
        }
    }

    /// The others would wait just as long, one after the other.
    private func refuseWaiting(_ outcome: Outcome) {
        let refused = state.update { state in
            defer { state.orders = state.orders.filter { if case .forget = $0 { true } else { false } } }
            return state.orders
        }
        for case .read(_, _, let done) in refused { done(outcome) }
    }

    private func tellSlow(_ request: Request, since begun: Timestamp) {
        let milliseconds = (Timestamp.monotonic.microseconds - begun.microseconds) / 1_000
        guard milliseconds >= 100 else { return }
        environment.journal.notice(
            "a replay took long", [.stream: "\(request.stream)", .milliseconds: "\(milliseconds)"])
    }

    private func next() -> Order? {
        state.when({ !$0.orders.isEmpty || $0.ends }) { state in
            state.ends || state.orders.isEmpty ? nil : state.orders.removeFirst()
        }
    }

    private func read(
        _ request: Request, with kept: ReplayCursor?, _ decoder: RecordDecoder
    ) -> (Outcome, ReplayCursor?) {
        do throws(LogError) {
            if var cursor = kept { return (try outputs(request, &cursor), cursor) }
            var cursor = try ReplayCursor(
                stream: request.stream, partition: environment.partitionOf(request.stream), after: request.watermarks,
                log: environment.log, snapshots: environment.snapshots, tracks: environment.tracks, decoder: decoder)
            if let gap = cursor.gap { return (.gap(gap, insight: cursor.insightAtGap), cursor) }
            return (try outputs(request, &cursor), cursor)
        } catch {
            environment.journal.error("replay failed", [.stream: "\(request.stream)", .reason: "\(error)"])
            return (error.isWorthRetrying ? .unavailable("\(error)") : .failed("\(error)"), nil)
        }
    }

    /// What lies beyond the watermarks, and from the time on if one was asked for.
    private func outputs(_ request: Request, _ cursor: inout ReplayCursor) throws(LogError) -> Outcome {
        var floor = request.watermarks
        var ring: StreamRing?
        try cursor.read(maxBytes: request.maxBytes) { entry, json in
            let isEarly = request.time.map { ring == nil && (entry.kind != .point || entry.time < $0) } ?? false
            if isEarly { floor[Int(entry.kind.rawValue)] = max(floor[Int(entry.kind.rawValue)], entry.seq) }
            guard !isEarly, entry.seq > floor[Int(entry.kind.rawValue)] else { return 0 }
            // As large as it gets: a ring that let go of its oldest would lose outputs.
            if ring == nil { ring = StreamRing(floor: floor, capacityMax: .max) }
            ring?.append(kind: entry.kind, seq: entry.seq, previous: entry.previous, time: entry.time, json: json)
            return json.count
        }
        return .outputs(ring ?? StreamRing(floor: floor, capacityMax: .max))
    }
}
