import Chaos
import Commands

/// Checks a cluster that is there already.
struct CheckCommand {
    private let options: LiveCheck.Options
    private let isJSON: Bool

    init(_ words: inout Arguments) throws(UsageError) {
        guard let nodes = try words.takeOption("--node") else { throw UsageError("check needs --node HOST:PORT,…") }
        let duration = try CheckCommand.seconds(try words.takeOption("--duration") ?? "60s")
        var options = LiveCheck.Options(nodes: nodes.split(separator: ",").map(String.init), duration: duration)
        options.rate = try words.takeNumber("--rate", in: 10...1_000_000) ?? options.rate
        options.tell = { printError($0) }
        isJSON = words.takeSwitch("--json")
        self.options = options
        try words.finish()
    }

    /// `90`, `90s`, `25m`, `2h`
    private static func seconds(_ text: String) throws(UsageError) -> Double {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? text : String(text.dropLast())), number > 0 else {
            throw UsageError("--duration is '\(text)'; it must be like 90s, 25m or 2h")
        }
        return number * (unit ?? 1)
    }

    /// - Returns: 0 when nothing was lost, repeated or out of order.
    func run() async throws -> Int32 {
        let result = try await LiveCheck(options).run()
        print(isJSON ? try TextReport.json([result]) : TextReport.table([result]))
        return result.outcome == .passed ? 0 : 1
    }
}
