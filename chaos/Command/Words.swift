/// The words of the command line. Each `take` removes what it takes; `finish` refuses what nobody took.
struct Words {
    private var rest: [String]

    init(_ words: [String]) { rest = words }

    /// What comes first, if anything is left.
    var next: String? { rest.first }

    mutating func takeName() -> String? {
        guard let first = rest.first, !first.hasPrefix("-") else { return nil }
        return rest.removeFirst()
    }

    /// All that come before the first option.
    mutating func takeNames() -> [String] {
        var names: [String] = []
        while let name = takeName() { names.append(name) }
        return names
    }

    /// For a command that reads its own.
    mutating func takeRest() -> [String] {
        defer { rest = [] }
        return rest
    }

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

    mutating func takeNumber(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = try takeOption(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError("\(name) is '\(text)'; it must be in \(range.lowerBound)…\(range.upperBound)")
        }
        return number
    }

    func finish() throws(UsageError) {
        if let stray = rest.first { throw UsageError("'\(stray)' is not understood") }
    }
}

/// What was typed makes no sense. Ends with exit code 2.
struct UsageError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
