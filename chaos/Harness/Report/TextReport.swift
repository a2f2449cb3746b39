import Foundation

/// Results for a terminal and for programs.
package enum TextReport {
    /// A table with a line per scenario, and below it the reasons of those that did not pass.
    package static func table(_ results: [ScenarioResult]) -> String {
        let header = [
            "scenario", "result", "published", "acked", "lost", "rep", "reord", "alt", "gap med", "p99", "max ms",
            "recov ms", "own ms", "hashes", "MB", "s",
        ]
        let rows = [header] + results.map(row)
        let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column < 2 ? row[column] + space : space + row[column]
            }.joined(separator: "  ")
        }
        let reasons = results.filter { !$0.reasons.isEmpty }.map { result in
            "\n\(result.scenario) \(result.outcome.rawValue):\n"
                + result.reasons.map { "  \($0)" }.joined(separator: "\n")
        }
        return (lines + reasons).joined(separator: "\n")
    }

    private static func row(_ result: ScenarioResult) -> [String] {
        guard result.outcome != .skipped else {
            return [result.scenario, "skipped"] + Array(repeating: "–", count: 14)
        }
        func milliseconds(_ seconds: Double) -> String { "\(Int((seconds * 1_000).rounded()))" }
        return [
            result.scenario, result.outcome.rawValue, "\(result.published)", "\(result.acknowledged)", "\(result.lost)",
            "\(result.repeated)", "\(result.reordered)", "\(result.altered + result.resyncs)",
            milliseconds(result.gapMedian), milliseconds(result.gapP99), milliseconds(result.gapMax),
            milliseconds(result.recovery), milliseconds(result.stall), "\(result.hashesEqual)/\(result.hashesExpected)",
            "\(result.memoryPeakBytes >> 20)", "\(Int(result.seconds.rounded()))",
        ]
    }

    /// `{"passed":…,"failed":…,"skipped":…,"scenarios":[…]}`
    package static func json(_ results: [ScenarioResult]) throws -> String {
        struct Page: Encodable {
            let passed: Int
            let failed: Int
            let skipped: Int
            let scenarios: [ScenarioResult]
        }
        func count(_ outcome: ScenarioResult.Outcome) -> Int { results.count { $0.outcome == outcome } }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let page = Page(passed: count(.passed), failed: count(.failed), skipped: count(.skipped), scenarios: results)
        return String(decoding: try encoder.encode(page), as: UTF8.self)
    }
}
