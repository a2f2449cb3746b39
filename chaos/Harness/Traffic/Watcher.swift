import Client
import Synchronization

/// A program that follows all streams through the SDK and writes down what it is given.
final class Watcher: Sendable {
    private struct State {
        var streams: [String: StreamHistory] = [:]
        var failure: String?
        var events: [(at: Double, text: String)] = []
    }

    let name: String
    /// Insights and alerts too, not only points.
    let takesAll: Bool
    private let client: SlipstreamClient
    private let streams: [String]
    private let run: UInt32
    private let clock: ScenarioClock
    private let pause: Duration?
    private let state = Mutex(State())
    private let isHurried = Atomic(false)

    /// - Parameter pause: how long it takes over each update, until it is hurried.
    init(
        _ client: SlipstreamClient, name: String, takesAll: Bool, streams: [String], run: UInt32,
        pause: Duration? = nil,
        clock: ScenarioClock
    ) {
        self.streams = streams
        self.run = run
        self.client = client
        self.name = name
        self.takesAll = takesAll
        self.pause = pause
        self.clock = clock
    }

    var isSlow: Bool { pause != nil }
    var history: [String: StreamHistory] { state.withLock { $0.streams } }
    var failure: String? { state.withLock { $0.failure } }
    var events: [(at: Double, text: String)] { state.withLock { $0.events } }
    var streamCount: Int { state.withLock { $0.streams.count } }

    /// Whether it has all points there are.
    func has(_ truth: Truth) -> Bool {
        state.withLock { state in
            truth.streams.allSatisfy { name, stream in
                (state.streams[name]?.points.count ?? 0) >= stream.points.count
                    && (!takesAll || state.streams[name]?.insights.last?.seq == stream.insights.last?.seq)
            }
        }
    }

    /// Whether it has all records that were sent.
    func hasNumbers(of published: Published) -> Bool {
        state.withLock { state in
            published.streams.allSatisfy { name, count in
                (state.streams[name]?.numbers.count ?? 0) >= Int(count.acknowledged)
            }
        }
    }

    func hurry() { isHurried.store(true, ordering: .relaxed) }

    /// Until the task is cancelled or the client is closed.
    func run() async {
        let kinds: UpdateKinds = takesAll ? .all : .telemetry
        do {
            for try await update in client.updates(of: streams, include: kinds, from: .earliest) {
                take(update)
                if let pause, !isHurried.load(ordering: .relaxed) { try await Task.sleep(for: pause) }
            }
        } catch SlipstreamError.cancelled {} catch is CancellationError {} catch {
            state.withLock { $0.failure = "\(error)" }
        }
    }

    /// Writes down what happens to its connection.
    func watchStatus() async {
        for await event in client.status {
            state.withLock { state in
                if state.events.count < 1_000 { state.events.append((clock.seconds, "\(event)")) }
            }
        }
    }

    private func take(_ update: Update) {
        let now = clock.seconds
        state.withLock { state in
            state.streams[update.stream, default: StreamHistory()].take(update, of: run, at: now)
        }
    }
}

extension StreamHistory {
    fileprivate mutating func take(_ update: Update, of run: UInt32, at now: Double) {
        switch update {
        case .telemetry(let telemetry):
            for point in telemetry.points {
                point.record.bytes.withUnsafeBytes { json in
                    take(point: point.seq, digest: Digest.of(json), number: RecordNumber.read(json, of: run))
                }
            }
            arrived(at: now)
        case .insight(let insight): take(insight: Said(seq: insight.seq, digest: insight.insight.digest))
        case .alerts(let update):
            // The truth has all alerts of a seq as one array.
            let json = "[" + update.alerts.map(\.json).joined(separator: ",") + "]"
            take(alert: Said(seq: update.seq, digest: Array(json.utf8).withUnsafeBytes(Digest.of)))
        case .resync(let resync): take(resync: resync.reason)
        }
    }
}

extension JSONObject {
    fileprivate var digest: UInt32 { bytes.withUnsafeBytes(Digest.of) }
}

/// Seconds since the first fault could come; negative before.
final class ScenarioClock: Sendable {
    private let start = Mutex(ContinuousClock.now)

    func begin() { start.withLock { $0 = .now } }
    var seconds: Double { (ContinuousClock.now - start.withLock { $0 }) / .seconds(1) }
}

extension ScenarioResult {
    /// Gaps of clients that take what they are given at once, while there was something to give.
    mutating func take(gapsOf watchers: [Watcher], until end: Double) {
        var (gaps, longest): ([Gap], [Double]) = ([], [])
        for watcher in watchers where !watcher.isSlow {
            for (stream, history) in watcher.history.sorted(by: { $0.key < $1.key }) {
                let own = history.gaps.gaps.filter { $0.start > 0 && $0.start < end }
                longest.append(own.map(\.length).max() ?? 0)
                gaps += own.map { Gap(client: watcher.name, stream: stream, start: $0.start, end: $0.end) }
            }
        }
        take(gaps: gaps, longest: longest)
    }
}
