import Foundation

/// Faults as marks along time, and below them one row per client with its gaps: the darker, the more streams at once.
struct Timeline {
    private let result: ScenarioResult
    private let end: Double
    private let clients: [String]
    /// Where each fault's words stand, so that they do not overlap.
    private let lanes: [Int]

    private static let width = 1_100.0
    private static let left = 100.0
    private static let laneHeight = 15.0
    private static let rowHeight = 26.0

    init(_ result: ScenarioResult) {
        self.result = result
        end = max(1, (result.moments.map(\.at) + result.gaps.map(\.end)).max() ?? 1) + 2
        clients = Set(result.gaps.map(\.client)).sorted()
        var ends: [Double] = []
        let scale = (Timeline.width - Timeline.left) / end
        lanes = result.moments.map { moment in
            let start = moment.at * scale
            let lane = ends.firstIndex { $0 < start } ?? ends.count
            let stop = start + Double(moment.what.count) * 6.5 + 12
            if lane == ends.count { ends.append(stop) } else { ends[lane] = stop }
            return lane
        }
    }

    private func x(_ seconds: Double) -> Double {
        Timeline.left + max(0, seconds) * (Timeline.width - Timeline.left) / end
    }

    private var top: Double { Double((lanes.max() ?? 0) + 1) * Timeline.laneHeight + 8 }
    private var bottom: Double { top + Double(max(1, clients.count)) * Timeline.rowHeight }

    var svg: String {
        """
        <svg viewBox="0 0 \(Int(Timeline.width)) \(Int(bottom + 24))" role="img" \
        aria-label="Faults and gaps of \(result.scenario)">
        \(axis)\(rows)\(faults)
        </svg>
        """
    }

    private var axis: String {
        let step = end > 40 ? 10.0 : end > 15 ? 5 : 1
        return stride(from: 0, through: end, by: step).map { second in
            """
            <line x1="\(number(x(second)))" x2="\(number(x(second)))" y1="\(number(top))" y2="\(number(bottom))" \
            stroke="#e6e9ef"/><text x="\(number(x(second)))" y="\(number(bottom + 15))" text-anchor="middle" \
            fill="#6a7385">\(Int(second)) s</text>
            """
        }.joined()
    }

    private var rows: String {
        guard !clients.isEmpty else {
            return """
                <text x="\(number(Timeline.left))" y="\(number(top + 17))" fill="#14703a">no client missed anything \
                for more than 200 ms</text>
                """
        }
        return clients.enumerated().map { row, client in
            let y = top + Double(row) * Timeline.rowHeight
            let bars = result.gaps.filter { $0.client == client }.map { gap in
                let length = HTMLReport.milliseconds(gap.end - gap.start)
                return """
                    <rect x="\(number(x(gap.start)))" y="\(number(y + 5))" \
                    width="\(number(max(1.5, x(gap.end) - x(gap.start))))" height="16" fill="#c2410c" \
                    fill-opacity="0.18"><title>\(HTMLReport.escaped(gap.stream)): \(length) ms</title></rect>
                    """
            }.joined()
            return "<text x=\"0\" y=\"\(number(y + 17))\">\(HTMLReport.escaped(client))</text>\(bars)"
        }.joined()
    }

    private var faults: String {
        zip(result.moments, lanes).map { moment, lane in
            let colour = moment.isRelief ? "#14703a" : "#b3261e"
            let y = Double(lane + 1) * Timeline.laneHeight - 3
            return """
                <line x1="\(number(x(moment.at)))" x2="\(number(x(moment.at)))" y1="\(number(y - 9))" \
                y2="\(number(bottom))" stroke="\(colour)" stroke-opacity="0.7"/>\
                <text x="\(number(x(moment.at) + 3))" y="\(number(y))" fill="\(colour)">\
                \(HTMLReport.escaped(moment.what))</text>
                """
        }.joined()
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
