import CAllocations
import Commands
import Delivery
import Foundation
import JSON
import Replication
import Telemetry

/// What one core does with telemetry that is in the log: decode, assemble, engine, ring, as a node does it.
struct EngineBench: Bench {
    static let name = "engine"
    static let summary = "log → decoder → engine → ring, on one thread"
    static let options = [
        "--runs N     default 7", "--batch N    records of one car in a log record; default 500",
        "--records N  in one run; default 500000",
    ]

    private let runs: Int
    private let perValue: Int
    private let records: Int
    private let cars = 20

    init(_ arguments: inout Arguments) throws(UsageError) {
        runs = try arguments.takeNumber("--runs", in: 1...1_000, default: 7)
        perValue = try arguments.takeNumber("--batch", in: 1...100_000, default: 500)
        records = try arguments.takeNumber("--records", in: 100_000...5_000_000, default: 500_000)
    }

    func run(in place: BenchPlace) async throws -> BenchReport {
        await onThread { measure(place.progress) }
    }

    private func measure(_ progress: BenchProgress) -> BenchReport {
        progress.say("simulating a race")
        let feed = EngineFeed(records: records, perValue: perValue, cars: cars)
        let shortFeed = EngineFeed(records: records / 4, perValue: 25, cars: cars)
        let singleFeed = EngineFeed(records: records / 4, perValue: 1, cars: cars)
        var (main, short, single, tape): ([EngineRun], [EngineRun], [EngineRun], [Double]) = ([], [], [], [])
        for run in 1...runs {
            progress.say("run \(run) of \(runs)")
            main.append(EngineRun(feed))
            short.append(EngineRun(shortFeed))
            single.append(EngineRun(singleFeed))
            tape.append(feed.tapeRate())
        }
        progress.say("Foundation")
        let foundation = feed.foundationRate()
        return report(main, short, single, tape, foundation, feed)
    }

    private func report(
        _ main: [EngineRun], _ short: [EngineRun], _ single: [EngineRun], _ tape: [Double], _ foundation: Double,
        _ feed: EngineFeed
    ) -> BenchReport {
        var report = BenchReport(name: EngineBench.name)
        report.setup = [
            ("cars", Double(cars)), ("batch", Double(perValue)), ("records", Double(feed.measured)),
            ("record_bytes", Double(feed.bytesPerRecord)), ("runs", Double(runs)),
        ]
        report.figures = [
            Figure("records_per_second", main.map(\.perSecond), budget: .atLeast(1_500_000)),
            Figure("records_per_cpu_second", main.map(\.perCPUSecond)),
            Figure(
                "allocations_per_record", main.map(\.allocationsPerRecord), decimals: 5, budget: .atMost(0.01)),
            Figure("records_per_second_batch_25", short.map(\.perSecond)),
            Figure("records_per_second_batch_1", single.map(\.perSecond)),
            Figure("insights_per_record", main.map(\.insightsPerRecord), decimals: 3),
            Figure("simdjson_tape_records_per_second", tape),
            Figure("ratio_to_simdjson_tape", zip(main, tape).map { $0.perSecond / $1 }, decimals: 3),
            Figure("foundation_json_decoder_records_per_second", foundation),
        ]
        return report
    }
}

/// One pass over a feed: a node's fold and hub, without its threads.
private struct EngineRun {
    let perSecond: Double
    let perCPUSecond: Double
    let allocationsPerRecord: Double
    let insightsPerRecord: Double

    init(_ feed: EngineFeed) {
        var fold = Fold()
        for batch in feed.warmUp { fold.take(batch) }
        let before = (monotonicNanoseconds(), threadNanoseconds(), call_allocations(), fold.insights, fold.points)
        for batch in feed.batches { fold.take(batch) }
        let seconds = Double(monotonicNanoseconds() - before.0) / 1e9
        let cpuSeconds = Double(threadNanoseconds() - before.1) / 1e9
        let points = Double(fold.points - before.4)
        precondition(fold.points - before.4 == feed.measured, "every record must have made a point")
        perSecond = points / seconds
        perCPUSecond = points / cpuSeconds
        allocationsPerRecord = Double(call_allocations() - before.2) / points
        insightsPerRecord = Double(fold.insights - before.3) / points
    }
}

private struct Fold {
    private var shard = Shard(partition: PartitionID(0), tracks: .builtIn)
    private var scratch = FoldScratch()
    private var hub = Hub()
    private var outputs = OutputBatch()
    private let decoder = RecordDecoder()
    var points: Int { Int(hub.byPlace.first?.reduce(0) { $0 + $1.end.seq } ?? 0) }
    private(set) var insights = 0

    mutating func take(_ batch: borrowing LogBatch) {
        outputs.removeAll()
        shard.apply(batch, decoder: decoder, scratch: &scratch, into: &outputs)
        for stream in outputs.newStreams {
            _ = hub.announce(stream.id, shard: 0, number: Int(stream.stream), lineage: Lineage(1), floor: [0, 0, 0])
        }
        hub.absorb(outputs, shard: 0)
        _ = hub.flush()
        insights += outputs.entries.reduce(0) { $0 + ($1.kind == .insight ? 1 : 0) }
    }
}
