import Client
import Commands
import Foundation
import JSON
import Node
import Simulation
import Synchronization
import Telemetry

enum DemoCommand: Command {
    static let name = "demo"
    static let summary = "run a node and a simulated race, with a live table and the dashboard"
    static let help = """
        usage: slipstream demo [OPTIONS] [--SETTING VALUE …]

        Runs a node with the embedded log and races cars on it through the SDK. Kill it and start it again: the race goes
        on where it was, and so do the page and every client. Ctrl-C ends it.

          --duration N          end after N seconds, with a summary (default: until Ctrl-C)
          --cars N              how many (default 20)
          --track NAME          one of the built-in tracks (default barber)
          --speed N             times real time (default 1)
          --seed N              another race (default 1)
          --fresh               forget the race that was broken off (not with --data-dir)
        and every setting of `slipstream node`; data is kept in ./slipstream-demo unless --data-dir says otherwise.
        """

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        let race = try Race.Options(&arguments)
        let isFresh = arguments.takeSwitch("--fresh")
        let duration = try arguments.takeNumber("--duration", in: 1...1_000_000, default: 1_000_000)
        var words = arguments.rest
        let isDirectoryGiven = words.contains { $0.hasPrefix("--data-dir") }
        if !isDirectoryGiven { words += ["--data-dir", "slipstream-demo"] }
        if isFresh, isDirectoryGiven {
            throw UsageError("--fresh removes ./slipstream-demo and nothing else: remove your --data-dir yourself")
        }
        if isFresh, FileManager.default.fileExists(atPath: "slipstream-demo") {
            try FileManager.default.removeItem(atPath: "slipstream-demo")
        }
        if !words.contains(where: { $0.hasPrefix("--log-level") }) { words += ["--log-level", "error"] }
        let node = try NodeCommand.start(words)
        let signals = StopSignals { node.stop() }
        defer { signals.cancel() }
        let address = NodeAddress(ports: [node.port])
        printLine(
            "Slipstream is at http://localhost:\(node.port)/ (the dashboard); data in \(node.config.dataDirectory)")

        let failed = Mutex<String?>(nil)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await Demo(race, address).run(seconds: duration)
                node.stop()
            }
            let failure = await onThread { () -> String? in
                do throws(NodeError) {
                    try node.run()
                    return nil
                } catch { return "\(error)" }
            }
            failed.withLock { $0 = failure }
            group.cancelAll()
        }
        if let failure = failed.withLock({ $0 }) { throw CommandError(failure) }
        return 0
    }
}

/// The simulated race of the demo.
struct Race {
    struct Options: Sendable {
        let cars: Int
        let track: Track
        let speed: Double
        let seed: UInt64

        init(_ arguments: inout Arguments) throws(UsageError) {
            cars = try arguments.takeNumber("--cars", in: 1...999, default: 20)
            speed = Double(try arguments.takeNumber("--speed", in: 1...1_000, default: 1))
            seed = UInt64(try arguments.takeNumber("--seed", in: 0...Int.max, default: 1))
            let name = try arguments.takeOption("--track") ?? "barber"
            guard let track = TrackTable.builtIn[name] else {
                let names = TrackTable.builtIn.all.map(\.name).joined(separator: ", ")
                throw UsageError("--track is '\(name)'; it must be one of \(names)")
            }
            self.track = track
        }
    }

    static let hertz = 10.0
    private(set) var simulation: RaceSimulation
    let source: String

    init(_ options: Options) {
        simulation = RaceSimulation(seed: options.seed, cars: options.cars, track: options.track, hertz: Race.hertz)
        source = "demo-\(options.seed)-\(options.cars)-\(options.track.name)"
    }

    /// The next step: one record of each car, as one array.
    mutating func step() -> [UInt8] {
        var json = JSONWriter(reserving: 8 << 10)
        simulation.step { _, record in
            json.raw(json.isEmpty ? "[" : ",")
            json.raw(record)
        }
        json.raw("]")
        return json.bytes
    }
}

/// Drives the race and shows it.
final class Demo: Sendable {
    private let options: Race.Options
    private let address: NodeAddress
    private let board = Mutex(Board())

    init(_ options: Race.Options, _ address: NodeAddress) {
        self.options = options
        self.address = address
    }

    func run(seconds: Int) async {
        do {
            let client = try SlipstreamClient(urls: address.streams)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.note { try await self.drive(client, seconds: seconds) } }
                group.addTask { await self.note { try await self.watch(client) } }
                group.addTask { await self.show() }
                await group.next()  // The race is over, or something went wrong.
                group.cancelAll()
            }
            await client.close()
            printLine(board.withLock { $0.summary(of: options) })
        } catch { printError("demo: \(error)") }
    }

    private func note(_ body: () async throws -> Void) async {
        do { try await body() } catch is CancellationError {} catch SlipstreamError.cancelled {} catch {
            if !Task.isCancelled { printError("demo: \(error)") }
        }
    }

    /// Publishes step after step at the race's pace; what was driven before is skipped.
    private func drive(_ client: SlipstreamClient, seconds: Int) async throws {
        var race = Race(options)
        let driven = try await stepsDriven(race.simulation.cars.map(\.chassis))
        if driven > 0 { printLine("the race goes on after \(grouped(driven)) steps") }
        for _ in 0..<driven { _ = race.step() }
        let publisher = client.publisher(source: race.source, startingAt: UInt64(driven) + 1)
        let start = ContinuousClock.now
        var steps = 0
        while ContinuousClock.now - start < .seconds(seconds) {
            try await publisher.publish(json: race.step())
            steps += 1
            try await Task.sleep(until: start + .seconds(Double(steps) / (Race.hertz * options.speed)))
        }
        try await publisher.flush()
        let truth = Dictionary(race.simulation.cars.map { ($0.chassis, $0.profile.lossPerLap) }) { first, _ in first }
        board.withLock { $0.truth = truth }
    }

    /// How far every car has come: steps that all of them have sent.
    private func stepsDriven(_ cars: [String]) async throws -> Int {
        while true {
            do {
                let streams = try JSONValue.parse(try await address.get("/v1/streams"))["streams"]?.array ?? []
                let positions = streams.map { ($0["stream"]?.string ?? "", $0["position"]?["seq"]?.int ?? 0) }
                let known = Dictionary(positions) { first, _ in first }
                return cars.map { known["chassis/\($0)"] ?? 0 }.min() ?? 0
            } catch let error as CommandError {
                // The node is still catching up with its log.
                try await Task.sleep(for: .milliseconds(100))
                if Task.isCancelled { throw error }
            }
        }
    }

    private func watch(_ client: SlipstreamClient) async throws {
        for try await update in client.updates(of: "chassis/*") { board.withLock { $0.take(update) } }
    }

    /// A table every second on a terminal, else a line every few seconds.
    private func show() async {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(isTerminal ? 1 : 5)) } catch { return }
            let (table, line) = board.withLock { ($0.table, $0.line) }
            printLine(isTerminal ? "\u{1b}[H\u{1b}[J\(address.page)  \(line)\n\n\(table)" : line)
        }
    }
}

/// What the demo's client has seen.
struct Board {
    var truth: [String: Double] = [:]
    private var insights: [String: JSONObject] = [:]
    private var expected: [String: UInt64] = [:]
    private var points = 0
    private var insightCount = 0
    private var alerts = 0
    private var gaps = 0
    private let start = ContinuousClock.now

    mutating func take(_ update: Update) {
        switch update {
        case .telemetry(let telemetry):
            points += telemetry.points.count
            if let first = telemetry.points.first, let expected = expected[update.stream], first.seq != expected {
                gaps += 1
            }
            expected[update.stream] = update.seq + 1
        case .insight(let insight):
            insightCount += 1
            insights[update.stream] = insight.insight
        case .alerts(let update): alerts += update.alerts.count
        case .resync: gaps += 1
        }
    }

    var line: String {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return """
            \(grouped(points)) points (\(grouped(Int(Double(points) / max(seconds, 0.1))))/s), \
            \(grouped(insightCount)) insights, \(grouped(alerts)) alerts, \(insights.count) cars, \
            \(gaps) gaps or repeats
            """
    }

    var table: String {
        var table = TextTable(["car", "lap", "m", "km/h", "last s", "best s", "s/lap lost", "80 %", "stress"])
        let ordered = insights.values.sorted {
            ($0.integer("lap") ?? 0, $0["lap_distance_m"] ?? 0) > ($1.integer("lap") ?? 0, $1["lap_distance_m"] ?? 0)
        }
        for car in ordered.prefix(40) {
            let loss = car.object("degradation_s_per_lap")
            table.add([
                car.string("chassis") ?? "", car.integer("lap").map(String.init) ?? "–",
                decimal(car["lap_distance_m"], 0), decimal(car["speed_kmh"], 0),
                decimal(car.object("last_lap")?["seconds"], 3), decimal(car.object("best_lap")?["seconds"], 3),
                decimal(loss?["value"], 3),
                loss.map { "\(decimal($0["low"], 2))…\(decimal($0["high"], 2))" } ?? "–",
                decimal(car["lap_tire_stress"], 0),
            ])
        }
        return table.text
    }

    func summary(of options: Race.Options) -> String {
        var lines = ["", "\(options.cars) cars at \(options.track.name): \(line)"]
        var (known, inside) = (0, 0)
        for (stream, insight) in insights {
            guard let loss = insight.object("degradation_s_per_lap"), let low = loss["low"], let high = loss["high"],
                let truth = truth[String(stream.dropFirst("chassis/".count))]
            else { continue }
            known += 1
            if low <= truth, truth <= high { inside += 1 }
        }
        if known > 0 {
            lines.append("tyre wear known for \(known) cars; the truth is in \(inside) of the 80 % intervals")
        }
        return lines.joined(separator: "\n")
    }
}
