import Client
import Commands
import Foundation

enum TailCommand: Command {
    static let name = "tail"
    static let summary = "follow streams as the SDK sees them: no gap, no repeat, whatever dies"
    static let help = """
        usage: slipstream tail STREAM… [--json] [OPTIONS]

        Prints what streams say, one line each: `tail chassis/GR86-006-7`, `tail 'chassis/*'`. It goes on by itself when
        the node dies and comes back. Connections are told of on stderr.

          --include KINDS       telemetry, insights, alerts; several with commas (default telemetry)
          --from WHERE          latest, earliest, or a time such as 2025-09-06T18:40:00Z (default latest)
          --behavior HOW        every, or latest: only the newest when this side is slow (default every)
          --count N             end after N points (or updates, without telemetry)
          \(NodeAddress.usage)
          --json                one JSON object a line: type, stream, seq, data
        """

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        let node = try NodeAddress(&arguments)
        let options = try Options(&arguments)
        let streams = arguments.takeWords()
        try arguments.finish()
        guard !streams.isEmpty else { throw UsageError("name a stream, as in slipstream tail 'chassis/*'") }

        let client = try SlipstreamClient(urls: node.streams)
        let events = Task { for await event in client.status { printError("\(event)") } }
        defer { events.cancel() }
        let updates = client.updates(
            of: streams, include: options.include, from: options.from, behavior: options.behavior)
        var printer = TailPrinter(isJSON: options.isJSON, countMax: options.count)
        for try await update in updates {
            guard printer.print(update) else { break }
        }
        await client.close()
        return 0
    }

    private struct Options {
        var include: UpdateKinds = .telemetry
        var from = StartPoint.latest
        var behavior = DeliveryBehavior.every
        let count: Int
        let isJSON: Bool

        init(_ arguments: inout Arguments) throws(UsageError) {
            isJSON = arguments.takeSwitch("--json")
            count = try arguments.takeNumber("--count", in: 1...Int.max, default: .max)
            if let text = try arguments.takeOption("--include") { include = try Options.kinds(text) }
            if let text = try arguments.takeOption("--from") { from = try Options.start(text) }
            switch try arguments.takeOption("--behavior") {
            case nil, "every": break
            case "latest": behavior = .latest
            case let other?: throw UsageError("--behavior is '\(other)'; it must be every or latest")
            }
        }

        private static func kinds(_ text: String) throws(UsageError) -> UpdateKinds {
            var kinds: UpdateKinds = []
            for name in text.split(separator: ",") {
                switch name {
                case "telemetry": kinds.insert(.telemetry)
                case "insights": kinds.insert(.insights)
                case "alerts": kinds.insert(.alerts)
                default: throw UsageError("--include has '\(name)'; it must be telemetry, insights or alerts")
                }
            }
            return kinds
        }

        private static func start(_ text: String) throws(UsageError) -> StartPoint {
            switch text {
            case "latest": return .latest
            case "earliest": return .earliest
            default:
                guard let time = UTCTime(text) else {
                    throw UsageError("--from is '\(text)'; it must be latest, earliest or a time in ISO 8601")
                }
                return .time(time)
            }
        }
    }
}

/// Writes updates to stdout, a line for each point, insight and alert.
struct TailPrinter {
    let isJSON: Bool
    let countMax: Int
    private var count = 0

    init(isJSON: Bool, countMax: Int) {
        self.isJSON = isJSON
        self.countMax = countMax
    }

    /// - Returns: false when enough is printed.
    mutating func print(_ update: Update) -> Bool {
        var lines = ""
        switch update {
        case .telemetry(let telemetry):
            for point in telemetry.points.prefix(countMax - count) {
                lines += line("telemetry", update.stream, point.seq, point.json, for: point)
                count += 1
            }
        case .insight(let insight): lines = line("insight", update.stream, update.seq, insight.insight.json, for: nil)
        case .alerts(let alerts):
            let list = "[\(alerts.alerts.map(\.json).joined(separator: ","))]"
            lines = line("alerts", update.stream, update.seq, list, for: nil)
        case .resync(let resync):
            lines = line("resync", update.stream, update.seq, resync.state?.json ?? "null", for: nil)
            printError("\(update.stream): resync at \(update.seq), \(resync.reason)")
        }
        if case .telemetry = update {} else { count += 1 }
        FileHandle.standardOutput.write(Data(lines.utf8))
        return count < countMax
    }

    private func line(
        _ type: String, _ stream: String, _ seq: UInt64, _ data: String, for point: TelemetryPoint?
    ) -> String {
        if isJSON { return "{\"type\":\"\(type)\",\"stream\":\"\(stream)\",\"seq\":\(seq),\"data\":\(data)}\n" }
        guard let point else { return "\(stream) #\(seq) \(type) \(data)\n" }
        let lap = point.lap.map { "lap \($0)" } ?? "no lap"
        let values = [
            point["lapdist_m"].map { "\(decimal($0, 0)) m" }, point["speed_kmh"].map { "\(decimal($0, 1)) km/h" },
            point["rpm"].map { "\(decimal($0, 0))/min" }, point["pbrake_f"].map { "brake \(decimal($0, 1)) bar" },
        ]
        let time = point.time.map { "\($0)" } ?? ""
        return "\(stream) #\(seq) \(time) \(lap) \(values.compactMap { $0 }.joined(separator: " "))\n"
    }
}
