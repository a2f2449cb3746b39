import Foundation

/// Columns aligned for people: some left, the others right.
struct TextTable {
    private var rows: [[String]]
    private let left: Set<Int>
    private let widthMax: Int

    /// - Parameter left: columns of text; they are cut where the table is wider than `widthMax` characters.
    init(_ header: [String], left: Set<Int> = [0], widthMax: Int = .max) {
        rows = [header]
        self.left = left
        self.widthMax = widthMax
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    var text: String {
        let widths = widths
        return rows.map { row in
            row.indices.map { column in
                let width = widths[column]
                let cell = row[column].count <= width ? row[column] : row[column].prefix(max(0, width - 1)) + "…"
                let space = String(repeating: " ", count: max(0, width - cell.count))
                return left.contains(column) ? cell + space : space + cell
            }.joined(separator: "  ").trimmingSuffix(" ")
        }.joined(separator: "\n")
    }

    /// The widest column of text gives way first.
    private var widths: [Int] {
        var widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let gaps = 2 * (widths.count - 1)
        while widths.reduce(gaps, +) > widthMax {
            guard let widest = left.max(by: { widths[$0] < widths[$1] }), widths[widest] > 1 else { break }
            widths[widest] -= 1
        }
        return widths
    }
}

extension String {
    fileprivate func trimmingSuffix(_ character: Character) -> String {
        var text = self
        while text.last == character { text.removeLast() }
        return text
    }
}

func decimal(_ number: Double?, _ places: Int) -> String {
    number.map { String(format: "%.\(places)f", $0) } ?? "–"
}

/// As `print`, but out at once also where stdout is a pipe.
func printLine(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
