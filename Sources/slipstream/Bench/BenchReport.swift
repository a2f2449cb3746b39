import Foundation
import Telemetry

/// One figure: what the runs gave.
struct Figure {
    enum Budget {
        case atLeast(Double)
        case atMost(Double)
    }

    /// In JSON; with the unit: `records_per_second`.
    let name: String
    let runs: [Double]
    var decimals = 0
    var budget: Budget?

    init(_ name: String, _ runs: [Double], decimals: Int = 0, budget: Budget? = nil) {
        self.name = name
        self.runs = runs.sorted()
        self.decimals = decimals
        self.budget = budget
    }

    init(_ name: String, _ value: Double, decimals: Int = 0, budget: Budget? = nil) {
        self.init(name, [value], decimals: decimals, budget: budget)
    }

    var median: Double {
        guard !runs.isEmpty else { return 0 }
        return (runs[(runs.count - 1) / 2] + runs[runs.count / 2]) / 2
    }
    var least: Double { runs.first ?? 0 }
    var most: Double { runs.last ?? 0 }

    var isMet: Bool? {
        switch budget {
        case .atLeast(let limit): median >= limit
        case .atMost(let limit): median <= limit
        case nil: nil
        }
    }
}

/// What a bench found.
struct BenchReport {
    let name: String
    /// How it was measured: `("cars", 20)`.
    var setup: [(name: String, value: Double)] = []
    var notes: [(name: String, value: String)] = []
    var figures: [Figure] = []

    /// One object. A figure of several runs has its median under its name, and `_min` and `_max` beside it.
    var json: String {
        var json = JSONWriter()
        json.raw("{\"bench\":")
        json.string(name)
        for (name, value) in setup {
            json.comma()
            json.key(name)
            json.number(value)
        }
        for (name, text) in notes {
            json.comma()
            json.key(name)
            json.string(text)
        }
        for figure in figures { write(figure, into: &json) }
        json.raw("}")
        return String(decoding: json.bytes, as: UTF8.self)
    }

    private func write(_ figure: Figure, into json: inout JSONWriter) {
        var named = [(figure.name, figure.median)]
        if figure.runs.count > 1 {
            named += [("\(figure.name)_min", figure.least), ("\(figure.name)_max", figure.most)]
        }
        for (name, value) in named {
            json.comma()
            json.key(name)
            json.number(value, decimals: figure.decimals)
        }
    }

    var table: String {
        let head = ["", "median", "least", "most", "budget"]
        let rows = [head] + figures.map(row)
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.indices.map { column in
                let gap = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 || column == 4 ? row[column] + gap : gap + row[column]
            }.joined(separator: "  ").trimmingSuffix { $0 == " " }
        }
        let told = setup.map { "\($0.name) \(format($0.value, 3))" } + notes.map { "\($0.name) \($0.value)" }
        return "bench \(name): \(told.joined(separator: ", "))\n\(lines.joined(separator: "\n"))"
    }

    private func row(_ figure: Figure) -> [String] {
        let spread =
            figure.runs.count > 1 ? [figure.least, figure.most].map { format($0, figure.decimals) } : ["", ""]
        let verdict =
            switch figure.budget {
            case nil: ""
            case .atLeast(let limit): "≥ \(format(limit, figure.decimals))"
            case .atMost(let limit): "≤ \(format(limit, figure.decimals))"
            }
        let met = figure.isMet.map { $0 ? " met" : " NOT MET" } ?? ""
        return [figure.name, format(figure.median, figure.decimals)] + spread + [verdict + met]
    }

    /// With thin groups of thousands, and no more decimals than it needs.
    private func format(_ value: Double, _ decimals: Int) -> String {
        var json = JSONWriter()
        json.number(value, decimals: decimals)
        let text = String(decoding: json.bytes, as: UTF8.self)
        let whole = text.prefix { $0 != "." }
        var grouped = ""
        for (place, digit) in whole.reversed().enumerated() {
            if place > 0, place % 3 == 0, digit != "-" { grouped.append(" ") }
            grouped.append(digit)
        }
        return String(grouped.reversed()) + text.dropFirst(whole.count)
    }
}

extension String {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return String(text)
    }
}

extension [Double] {
    /// The value that `share` of all do not exceed; nearest rank. 0 of nothing.
    func percentile(_ share: Double) -> Double {
        guard !isEmpty else { return 0 }
        let sorted = self.sorted()
        return sorted[Swift.min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
    }
}
