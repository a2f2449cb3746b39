import Client
import Foundation
import Glibc
import Kafka
import Replication
import Sharding
import Synchronization
import Telemetry
import Threads

/// Publishes straight to Kafka, at a steady rate: each car has a record every `interval`, numbered 1, 2, 3, …
///
/// Records go by a schedule that waits for nothing. Of each the time when it was due goes along. What goes to one
/// partition at a time is one batch: the simulated Kafka gives one batch a partition with each fetch, and takes one with
/// each request, so many small ones are a load that no broker has.
final class SteadyRace: Sendable {
    static let topic = "telemetry.chassis"
    let cars: Int
    /// ns between two records of a car.
    let interval: Int64
    /// Records of a car that go at once.
    private let burst: Int
    /// By partition, where not all cars go at once.
    private let partitions: Int?
    private let producer: KafkaProducer
    private let ends = Atomic(false)
    private let published = Monitor<(steps: Int, isDone: Bool)>((0, false))

    /// - Parameters:
    ///   - burst: records of a car that go at once, then none for so many intervals.
    ///   - partitions: of the topic; the cars of each have a time of their own. `nil`: all go at the same time.
    init(kafka: String, cars: Int, rate: Int, burst: Int = 1, partitions: Int? = nil) throws {
        self.cars = cars
        self.burst = burst
        self.partitions = partitions
        interval = Int64(cars) * 1_000_000_000 / Int64(rate)
        producer = try KafkaProducer(try KafkaConfiguration(brokers: kafka))
    }

    /// Records of each car so far.
    var steps: Int { published.withLock { $0.steps } }

    func start() { Thread.detachNewThread { self.run() } }

    /// Ends after whole steps, and waits until Kafka has everything.
    func stop() throws {
        ends.store(true, ordering: .relaxed)
        published.when({ $0.isDone }) { _ in }
        guard try producer.flush(within: .seconds(20)), producer.postsFailed == 0 else {
            throw BenchError("Kafka did not take all records: \(producer.postsFailed) failed")
        }
        producer.close()
    }

    private func run() {
        var race = BenchRace(cars: cars)
        let groups = groups(of: race.chassis)
        let start = monotonicNanoseconds()
        let period = interval * Int64(burst)
        var sent: Int64 = 0
        while !ends.load(ordering: .relaxed) {
            let records = (0..<burst).map { _ in race.records() }
            for (place, group) in groups.enumerated() {
                let due = start + sent * interval + Int64(place) * period / Int64(groups.count)
                sleep(until: due)
                for (number, records) in records.enumerated() {
                    for car in group {
                        post(records[car], race.chassis[car], number: sent + Int64(number) + 1, due: due)
                    }
                }
            }
            sent += Int64(burst)
            published.update { $0.steps = Int(sent) }
        }
        published.update { $0.isDone = true }
    }

    /// Cars that go at the same time.
    private func groups(of chassis: [String]) -> [[Int]] {
        guard let partitions else { return [Array(chassis.indices)] }
        let groups = Dictionary(grouping: chassis.indices) { car in
            Partitioner.partition(ofKey: Array(chassis[car].utf8), count: partitions)
        }
        return groups.sorted { $0.key < $1.key }.map(\.value)
    }

    private func post(_ record: [UInt8], _ chassis: String, number: Int64, due: Int64) {
        var json = Array(record.dropLast())
        json.append(contentsOf: ",\"bench_n\":\(number),\"bench_us\":\(due / 1_000)}".utf8)
        // A full queue means that Kafka takes nothing; then waiting is all there is.
        while (try? producer.post(key: Array(chassis.utf8), value: json, headers: [], to: SteadyRace.topic)) == false {
            usleep(1_000)
        }
    }

    private func sleep(until due: Int64) {
        var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &time, nil) == EINTR {}
    }
}

/// What an SDK handler sees of a steady race: each record once, and how long each stream pauses.
final class RaceWatch: Sendable {
    fileprivate struct Stream {
        var last = 0
        var heardAt: Int64
        /// ns
        var longestPause: Int64 = 0
        var longestPauseEndedAt: Int64 = 0
        /// Records since the window began.
        var heard = 0
    }

    fileprivate struct State {
        var streams: [String: Stream] = [:]
        var lost = 0
        var repeated = 0
        var resyncs = 0
        /// ms from when a record was due until it was handled, while wanted.
        var latencies: [Double]?
        var failure: String?
    }

    private let state = Monitor(State())

    /// Hears `updates` until they end or the task is cancelled.
    func listen(_ client: SlipstreamClient) async {
        do {
            for try await update in client.updates(of: "chassis/*", include: .telemetry) { take(update) }
        } catch { state.update { $0.failure = "\(error)" } }
    }

    private func take(_ update: Update) {
        let now = monotonicNanoseconds()
        guard case .telemetry(let telemetry) = update else { return state.withLock { $0.resyncs += 1 } }
        state.withLock { state in
            for point in telemetry.points {
                guard let number = point["bench_n"].map({ Int($0) }) else { continue }
                if state.latencies != nil, let due = point["bench_us"] {
                    state.latencies?.append(Double(now) / 1_000_000 - due / 1_000)
                }
                state.take(number, of: telemetry.stream, at: now)
            }
        }
    }

    /// Pauses count from here on.
    func begin() {
        state.withLock { state in
            for name in state.streams.keys {
                state.streams[name]?.longestPause = 0
                state.streams[name]?.heard = 0
            }
        }
    }

    /// ms, of each stream. A pause that still lasts counts as well.
    func longestPauses() -> [Double] {
        let now = monotonicNanoseconds()
        return state.withLock { state in
            state.streams.values.map { Double(max($0.longestPause, now - $0.heardAt)) / 1_000_000 }
        }
    }

    /// The streams that paused longest and how long ago that ended, for people.
    func worst(_ count: Int) -> String {
        let now = monotonicNanoseconds()
        return state.withLock { state in
            state.streams.sorted { $0.value.longestPause > $1.value.longestPause }.prefix(count).map { name, stream in
                let ended = decimal(Double(now - stream.longestPauseEndedAt) / 1_000_000, 0)
                return "\(name) \(decimal(Double(stream.longestPause) / 1_000_000, 0)) ms, over \(ended) ms ago"
            }.joined(separator: "; ")
        }
    }

    /// Streams that have said less than `times` something since `begin`, for people.
    func silent(_ times: Int) -> String {
        state.withLock { state in
            state.streams.filter { $0.value.heard < times }.sorted { $0.key < $1.key }
                .map { "\($0.key): \($0.value.heard) heard, the last is \($0.value.last)" }.joined(separator: "; ")
        }
    }

    /// Records up to `number` that did not come.
    func missing(through number: Int) -> Int {
        state.withLock { $0.streams.values.reduce(0) { $0 + max(0, number - $1.last) } }
    }

    func keepLatencies() { state.withLock { $0.latencies = [] } }
    var latencies: [Double] { state.withLock { $0.latencies ?? [] } }
    var counts: (lost: Int, repeated: Int, resyncs: Int) {
        state.withLock { ($0.lost, $0.repeated, $0.resyncs) }
    }
    var failure: String? { state.withLock { $0.failure } }

    /// Waits until each of so many streams has said something `times` since `begin`.
    func awaitAll(_ streams: Int, times: Int, within limit: Duration) async -> Bool {
        await poll(limit) { $0.streams.count >= streams && $0.streams.values.allSatisfy { $0.heard >= times } }
    }

    /// Waits until each stream has come this far.
    func awaitAll(through number: Int, within limit: Duration) async -> Bool {
        await poll(limit) { $0.streams.values.allSatisfy { $0.last >= number } }
    }

    private func poll(_ limit: Duration, _ condition: @Sendable (borrowing State) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if state.withLock({ condition($0) }) { return true }
            guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { return false }
        }
        return false
    }
}

extension RaceWatch.State {
    fileprivate mutating func take(_ number: Int, of name: String, at now: Int64) {
        guard var stream = streams[name] else {
            return streams[name] = .init(last: number, heardAt: now)
        }
        if number <= stream.last {
            repeated += 1
        } else {
            lost += number - stream.last - 1
            stream.last = number
        }
        if now - stream.heardAt > stream.longestPause {
            stream.longestPause = now - stream.heardAt
            stream.longestPauseEndedAt = now
        }
        stream.heardAt = now
        stream.heard += 1
        streams[name] = stream
    }
}
