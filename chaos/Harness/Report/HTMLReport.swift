import Foundation

/// One page that needs nothing else: a table, and per scenario a timeline of faults and of what clients missed.
package enum HTMLReport {
    package static func page(_ results: [ScenarioResult]) -> String {
        let failed = results.count { $0.outcome == .failed }
        let skipped = results.count { $0.outcome == .skipped }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Slipstream chaos</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>\(style)</style></head><body>
            <h1>Slipstream under faults</h1>
            <p>\(results.count - failed - skipped) of \(results.count) scenarios passed, \(failed) failed, \
            \(skipped) were skipped.</p>
            <table><thead><tr>\(columns.map { "<th>\($0)</th>" }.joined())</tr></thead><tbody>
            \(results.map(row).joined(separator: "\n"))
            </tbody></table>
            \(results.map(section).joined(separator: "\n"))
            <p class="note">A gap is a silence of more than 200 ms in a stream that always has something to say, as the
            handler of an SDK client saw it. Hashes: replicas whose state equals the log's fold, of all replicas.</p>
            </body></html>

            """
    }

    private static let columns = [
        "scenario", "result", "published", "acknowledged", "lost", "repeated", "reordered", "altered",
        "longest gap, median ms", "p99", "max", "recovery ms", "harness stalled ms", "hashes", "memory MB",
    ]

    private static func row(_ result: ScenarioResult) -> String {
        let name = "<td><a href=\"#\(result.scenario)\">\(result.scenario)</a></td>"
        let outcome = "<td class=\"\(result.outcome.rawValue)\">\(result.outcome.rawValue)</td>"
        guard result.outcome != .skipped else {
            let reason = escaped(result.reasons.joined(separator: "; "))
            return "<tr>\(name)\(outcome)<td colspan=\"13\">\(reason)</td></tr>"
        }
        let cells = [
            "\(result.published)", "\(result.acknowledged)", "\(result.lost)", "\(result.repeated)",
            "\(result.reordered)", "\(result.altered + result.resyncs)", milliseconds(result.gapMedian),
            milliseconds(result.gapP99), milliseconds(result.gapMax), milliseconds(result.recovery),
            milliseconds(result.stall), "\(result.hashesEqual)/\(result.hashesExpected)",
            "\(result.memoryPeakBytes >> 20)",
        ]
        return "<tr>\(name)\(outcome)\(cells.map { "<td>\($0)</td>" }.joined())</tr>"
    }

    private static func section(_ result: ScenarioResult) -> String {
        guard result.outcome != .skipped else { return "" }
        let reasons = result.reasons.map { "<li>\(escaped($0))</li>" }.joined()
        return """
            <section id="\(result.scenario)"><h2>\(result.scenario)</h2><p>\(escaped(result.summary)); \
            seed \(result.seed), \(Int(result.seconds.rounded())) s.</p>
            \(reasons.isEmpty ? "" : "<ul class=\"failed\">\(reasons)</ul>")
            \(Timeline(result).svg)</section>
            """
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }

    static func milliseconds(_ seconds: Double) -> String { "\(Int((seconds * 1_000).rounded()))" }

    private static let style = """
        body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1c2330}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
        th,td{padding:.25rem .5rem;text-align:right;border-bottom:1px solid #d9dee7;font-size:13px}
        th{vertical-align:bottom;font-weight:600}th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}
        td.passed{color:#14703a}td.failed,ul.failed{color:#b3261e}td.skipped{color:#6a7385}
        section{margin-top:2.5rem}h2{margin-bottom:0}svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif}
        .note{color:#6a7385}
        """
}
