import Client
import Commands
import Foundation

enum PlayCommand: Command {
    static let name = "play"
    static let summary = "send telemetry files (.csv, .csv.gz) to a node, at their own pace or any other"
    static let help = """
        usage: slipstream play FILE… [OPTIONS]

        Sends every row of the files, in their order, through the SDK. Rows of one instant travel together. It waits for
        a node that is away and sends again what is in doubt, so each row counts once. Broken off itself, it goes on
        where it was when it is called again with the same files: the place is kept in .slipstream-play/ here.

          --speed N             1 is as it was driven, 10 ten times that, max as fast as the node takes it (default 1)
          --fresh               begin anew, even if this was broken off before
          --batch N             rows in a publish, at most about (default 500)
          \(NodeAddress.usage)
          --json                print the summary as one JSON object
        """

    static func run(_ arguments: inout Arguments) async throws -> Int32 {
        let node = try NodeAddress(&arguments)
        let isJSON = arguments.takeSwitch("--json")
        let isFresh = arguments.takeSwitch("--fresh")
        let batch = try arguments.takeNumber("--batch", in: 1...5_000, default: 500)
        let speed = try takeSpeed(&arguments)
        let files = arguments.takeWords()
        try arguments.finish()
        guard !files.isEmpty else { throw UsageError("name a file, as in slipstream play race.csv.gz") }

        var totals = PlayTotals()
        for file in files {
            let player = try Player(file: file, node: node, speed: speed, batchRows: batch, isFresh: isFresh)
            totals.add(try await player.run())
        }
        print(isJSON ? totals.json : totals.text)
        return 0
    }

    /// - Returns: `nil` for as fast as possible.
    private static func takeSpeed(_ arguments: inout Arguments) throws(UsageError) -> Double? {
        let text = try arguments.takeOption("--speed") ?? "1"
        if text == "max" { return nil }
        guard let speed = Double(text), speed > 0, speed <= 100_000 else {
            throw UsageError("--speed is '\(text)'; it must be a number above 0, or max")
        }
        return speed
    }
}

/// What became of the rows of the files.
struct PlayTotals {
    var rows = 0
    /// Sent and durable, this time or before the play was broken off.
    var accepted = 0
    var resumedAt = 0
    /// Rows that are no records, by reason; they were not sent.
    var refused: [String: Int] = [:]
    /// Records the node did not take.
    var rejected = 0
    var seconds = 0.0
    /// The first few refusals, in words.
    var samples: [String] = []

    mutating func add(_ other: PlayTotals) {
        rows += other.rows
        accepted += other.accepted
        resumedAt += other.resumedAt
        refused.merge(other.refused, uniquingKeysWith: +)
        rejected += other.rejected
        seconds += other.seconds
        samples = Array((samples + other.samples).prefix(5))
    }

    var refusedTotal: Int { refused.values.reduce(0, +) }

    var text: String {
        var text = "\(grouped(rows)) rows: \(grouped(accepted)) accepted, \(grouped(refusedTotal)) refused, "
        text += "\(grouped(rejected)) rejected by the node; \(decimal(seconds, 1)) s"
        if resumedAt > 0 { text += " from row \(grouped(resumedAt)) on" }
        if seconds > 0 { text += ", \(grouped(Int(Double(rows - resumedAt) / seconds))) rows/s" }
        return ([text] + samples).joined(separator: "\n  ")
    }

    var json: String {
        let reasons = refused.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        return """
            {"rows":\(rows),"accepted":\(accepted),"refused":\(refusedTotal),"refused_by_reason":{\(reasons)},\
            "rejected":\(rejected),"resumed_at_row":\(resumedAt),"seconds":\(decimal(seconds, 3))}
            """
    }
}
