import Client
import Commands
import Foundation
import Glibc
import Telemetry

/// How long a record takes from a publisher to a program: SDK → node → log on disk → engine → hub → SDK.
///
/// Records are sent by a schedule that does not wait for anything, and a record's time begins when it was to be sent:
/// what a stall holds up counts for all that it holds up (no coordinated omission).
struct LatencyBench: Bench {
    static let name = "latency"
    static let summary = "publish through the SDK to an SDK handler, embedded log, durable; or through Kafka"
    static let options = [
        "--rate N      records/s; default 10000", "--duration S  default 20, with --kafka 10; after 3 s of warm-up",
        "--tick-us N   time between publishes; default 2000; not with --kafka, where the rate decides",
        "--kafka       publish into a simulated Kafka, and say where the time goes",
    ]

    private let rate: Int
    private let seconds: Int
    private let tickMicroseconds: Int
    private let kafka: KafkaLatency?
    private static let warmUpSeconds = 3

    init(_ arguments: inout Arguments) throws(UsageError) {
        rate = try arguments.takeNumber("--rate", in: 20...200_000, default: 10_000)
        let isKafka = arguments.takeSwitch("--kafka")
        if isKafka, try arguments.takeOption("--tick-us") != nil {
            throw UsageError("--tick-us has no meaning with --kafka: the rate decides")
        }
        seconds = try arguments.takeNumber("--duration", in: 1...3_600, default: isKafka ? 10 : 20)
        tickMicroseconds = try arguments.takeNumber("--tick-us", in: 100...1_000_000, default: 2_000)
        kafka = isKafka ? KafkaLatency(rate: rate, seconds: seconds, warmUpSeconds: LatencyBench.warmUpSeconds) : nil
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        if let kafka { return try await kafka.run(in: place) }
        let node = try place.startNode()
        let client = try SlipstreamClient("ws://127.0.0.1:\(node.port)")
        let ticks = (LatencyBench.warmUpSeconds + seconds) * 1_000_000 / tickMicroseconds
        let perTick = max(1, rate * tickMicroseconds / 1_000_000)
        let schedule = LatencySchedule(
            start: monotonicNanoseconds() + 500_000_000, tick: Int64(tickMicroseconds) * 1_000, ticks: ticks)
        place.progress.say("\(perTick) records every \(tickMicroseconds) µs for \(seconds) s")
        async let heard = LatencySchedule.listen(client, count: ticks * perTick)
        try await publish(perTick, by: schedule, over: client)
        let latencies = try await heard
        let counted = latencies.filter { $0.scheduled >= Double(LatencyBench.warmUpSeconds) * 1_000_000 }
        await client.close()
        let pipe = try HTTPPipe(port: node.port)
        let commits = try node.metric("log_commits_total", over: pipe)
        let commitSeconds = try node.metric("log_commit_seconds_total", over: pipe)
        let longest = try node.metric("log_commit_seconds_max", over: pipe)
        return report(counted.map(\.milliseconds), [commitSeconds / max(1, commits) * 1_000, longest * 1_000])
    }

    private func publish(_ perTick: Int, by schedule: LatencySchedule, over client: SlipstreamClient) async throws {
        let publisher = client.publisher(source: "bench")
        var race = BenchRace()
        var waiting: [[UInt8]] = []
        for await tick in schedule.times {
            var json: [UInt8] = [UInt8(ascii: "[")]
            for place in 0..<perTick {
                if waiting.isEmpty { waiting = race.records().reversed() }
                guard let record = waiting.popLast() else { break }
                if place > 0 { json.append(UInt8(ascii: ",")) }
                json.append(contentsOf: record.dropLast())
                json.append(contentsOf: ",\"bench_us\":\(tick)}".utf8)
            }
            json.append(UInt8(ascii: "]"))
            try await publisher.publish(json: json)
        }
        try await publisher.flush()
    }

    private func report(_ milliseconds: [Double], _ commitMilliseconds: [Double]) -> BenchReport {
        var report = BenchReport(name: LatencyBench.name)
        report.setup = [
            ("rate", Double(rate)), ("duration_s", Double(seconds)), ("tick_us", Double(tickMicroseconds)),
            ("cars", 20),
            ("records", Double(milliseconds.count)),
        ]
        report.figures = [
            Figure("p50_ms", milliseconds.percentile(0.5), decimals: 2),
            Figure("p90_ms", milliseconds.percentile(0.9), decimals: 2),
            Figure("p99_ms", milliseconds.percentile(0.99), decimals: 2, budget: .atMost(5)),
            Figure("p999_ms", milliseconds.percentile(0.999), decimals: 2),
            Figure("max_ms", milliseconds.max() ?? 0, decimals: 2),
            Figure("commit_mean_ms", commitMilliseconds[0], decimals: 2),
            Figure("commit_max_ms", commitMilliseconds[1], decimals: 2),
        ]
        return report
    }
}

/// When to send. Times are µs since the start.
struct LatencySchedule {
    /// One per tick, given when it is due, never skipped, however late the one who takes them is.
    let times: AsyncStream<Int64>

    /// - Parameter start: ns of the monotonic clock; `tick` in ns.
    init(start: Int64, tick: Int64, ticks: Int) {
        let (times, continuation) = AsyncStream.makeStream(of: Int64.self)
        self.times = times
        let thread = Thread {
            for number in 0..<ticks {
                let due = start + Int64(number) * tick
                var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
                while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &time, nil) == EINTR {}
                continuation.yield(due / 1_000)
            }
            continuation.finish()
        }
        thread.start()
    }

    struct Heard: Sendable {
        /// µs since the first record heard was to be sent.
        let scheduled: Double
        let milliseconds: Double
    }

    /// Notes when each record comes, until all have.
    static func listen(_ client: SlipstreamClient, count: Int) async throws -> [Heard] {
        var heard: [Heard] = []
        heard.reserveCapacity(count)
        var first: Double?
        for try await update in client.updates(of: "chassis/*", from: .earliest) {
            guard case .telemetry(let telemetry) = update else { continue }
            let now = Double(monotonicNanoseconds()) / 1_000
            for point in telemetry.points {
                guard let sent = point["bench_us"] else { continue }
                let begin = first ?? sent
                first = begin
                heard.append(Heard(scheduled: sent - begin, milliseconds: (now - sent) / 1_000))
            }
            if heard.count >= count { break }
        }
        return heard
    }
}
