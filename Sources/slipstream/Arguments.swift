/// The words after the command. Each `take` removes what it takes; `finish` refuses what nobody took.
struct Arguments {
    private(set) var rest: [String]

    init(_ words: [String]) { rest = words }

    var wantsHelp: Bool { rest.contains("--help") || rest.contains("-h") }

    /// The command's name: the first word, if it is no flag.
    mutating func takeName() -> String? {
        guard let first = rest.first, !first.hasPrefix("-") else { return nil }
        return rest.removeFirst()
    }

    /// `--name`
    mutating func takeSwitch(_ name: String) -> Bool {
        guard let index = rest.firstIndex(of: name) else { return false }
        rest.remove(at: index)
        return true
    }

    /// `--name VALUE` or `--name=VALUE`
    mutating func takeOption(_ name: String) throws(UsageError) -> String? {
        if let index = rest.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            return String(rest.remove(at: index).dropFirst(name.count + 1))
        }
        guard let index = rest.firstIndex(of: name) else { return nil }
        guard index + 1 < rest.count else { throw UsageError("\(name) needs a value, as in \(name) VALUE") }
        rest.remove(at: index)
        return rest.remove(at: index)
    }

    mutating func takeNumber(
        _ name: String, in range: ClosedRange<Int>, default fallback: Int
    ) throws(UsageError) -> Int {
        guard let text = try takeOption(name) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            let allowed = "\(range.lowerBound)…\(range.upperBound)"
            throw UsageError("\(name) is '\(text)'; it must be a whole number in \(allowed)")
        }
        return number
    }

    /// Words that are no flags.
    mutating func takeWords() -> [String] {
        defer { rest.removeAll { !$0.hasPrefix("--") } }
        return rest.filter { !$0.hasPrefix("--") }
    }

    func finish() throws(UsageError) {
        if let stray = rest.first { throw UsageError("'\(stray)' is not understood") }
    }
}
