import Client
import Simulation
import Synchronization
import Telemetry

/// Publishes a race of its own through the SDK, each record with its number within its stream.
final class Publisher: Sendable {
    /// So much is sent at once.
    static let period = 0.02

    private let publisher: SlipstreamPublisher
    private let race: Mutex<NumberedRace>
    private let stepsPerPublish: Int
    private let isStopped = Atomic(false)

    /// - Parameter rate: records per second of all its cars.
    init(_ client: SlipstreamClient, name: String, seed: UInt64, cars: Int, rate: Double, run: UInt32) {
        publisher = client.publisher(source: "chaos-\(run)-\(name)")
        stepsPerPublish = max(1, Int((rate * Publisher.period / Double(cars)).rounded()))
        race = Mutex(NumberedRace(seed: seed, cars: cars, hertz: rate / Double(cars), run: run))
    }

    var streams: [String] { race.withLock { $0.streams } }

    /// Publishes at the rate until told to stop. After an outage it sends what was held up as fast as it can.
    func run() async throws {
        let start = ContinuousClock.now
        let period = race.withLock { Double(stepsPerPublish) / $0.hertz }
        var count = 0
        while !isStopped.load(ordering: .relaxed) {
            let body = race.withLock { race in race.steps(stepsPerPublish) }
            try await publisher.publish(json: body)
            count += 1
            try await Task.sleep(until: start + .seconds(Double(count) * period))
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    func flush() async throws { try await publisher.flush() }

    func close() { publisher.close() }

    /// Per stream.
    var count: Published.Count {
        Published.Count(
            sent: UInt32(publisher.lastSeq) * UInt32(stepsPerPublish),
            acknowledged: UInt32(publisher.acknowledgedThrough) * UInt32(stepsPerPublish))
    }
}

/// A simulated race whose records carry a number: 1, 2, 3, … of each car.
private struct NumberedRace {
    private var simulation: RaceSimulation
    private var number: UInt32 = 0
    let hertz: Double

    private let run: UInt32

    init(seed: UInt64, cars: Int, hertz: Double, run: UInt32) {
        self.run = run
        simulation = RaceSimulation(seed: seed, cars: cars, hertz: hertz)
        self.hertz = hertz
    }

    var streams: [String] { simulation.cars.map { "chassis/\($0.chassis)" } }

    mutating func steps(_ count: Int) -> [UInt8] {
        var json = JSONWriter(reserving: 64 << 10)
        for _ in 0..<count {
            number += 1
            simulation.step { _, record in
                json.raw(json.isEmpty ? "[" : ",")
                json.raw(RecordNumber.beginning(number, of: run))
                json.raw(UnsafeRawBufferPointer(rebasing: record.dropFirst()))
            }
        }
        json.raw("]")
        return json.bytes
    }
}
