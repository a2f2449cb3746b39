/// The words of a command line. Each `take` removes what it takes; `finish` refuses what nobody took.
package struct Arguments {
    package private(set) var rest: [String]

    package init(_ words: [String]) { rest = words }

    /// What comes first, if anything is left.
    package var next: String? { rest.first }

    package var wantsHelp: Bool { rest.contains("--help") || rest.contains("-h") }

    /// The command's name: the first word, if it is no flag.
    package mutating func takeName() -> String? {
        guard let first = rest.first, !first.hasPrefix("-") else { return nil }
        return rest.removeFirst()
    }

    /// All that come before the first option.
    package mutating func takeNames() -> [String] {
        var names: [String] = []
        while let name = takeName() { names.append(name) }
        return names
    }

    /// `--name`
    package mutating func takeSwitch(_ name: String) -> Bool {
        guard let index = rest.firstIndex(of: name) else { return false }
        rest.remove(at: index)
        return true
    }

    /// `--name VALUE` or `--name=VALUE`
    package mutating func takeOption(_ name: String) throws(UsageError) -> String? {
        if let index = rest.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            return String(rest.remove(at: index).dropFirst(name.count + 1))
        }
        guard let index = rest.firstIndex(of: name) else { return nil }
        guard index + 1 < rest.count else { throw UsageError("\(name) needs a value, as in \(name) VALUE") }
        rest.remove(at: index)
        return rest.remove(at: index)
    }

    /// The same as often as it is given.
    package mutating func takeOptions(_ name: String) throws(UsageError) -> [String] {
        var values: [String] = []
        while let value = try takeOption(name) { values.append(value) }
        return values
    }

    package mutating func takeNumber(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = try takeOption(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let allowed = "\(range.lowerBound)…\(range.upperBound)"
            throw UsageError("\(name) is '\(text)'; it must be a whole number in \(allowed)")
        }
        return number
    }

    package mutating func takeNumber(
        _ name: String, in range: ClosedRange<Int>, default fallback: Int
    ) throws(UsageError) -> Int { try takeNumber(name, in: range) ?? fallback }

    /// Words that are no flags.
    package mutating func takeWords() -> [String] {
        defer { rest.removeAll { !$0.hasPrefix("--") } }
        return rest.filter { !$0.hasPrefix("--") }
    }

    /// For a command that reads its own.
    package mutating func takeRest() -> [String] {
        defer { rest = [] }
        return rest
    }

    /// What a word names.
    /// - Parameter option: whose word it is.
    /// - Throws: when there is no such choice, naming those there are.
    package static func choice<Choice: RawRepresentable & CaseIterable>(
        _ word: String, of option: String
    ) throws(UsageError) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: word) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("\(option) is '\(word)'; it must be one of \(choices)")
        }
        return choice
    }

    package func finish() throws(UsageError) {
        if let stray = rest.first { throw UsageError("'\(stray)' is not understood") }
    }
}

/// What was typed makes no sense. Ends with exit code 2.
package struct UsageError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
