/// What a value of a manifest may be.
indirect enum Schema: Sendable {
    case text, integer, boolean
    /// A whole or decimal number with a unit, as Go's `time.ParseDuration` reads it: `60s`, `1h30m`, `-1h`.
    case duration
    /// A number in 0…100, in quotes: Chaos Mesh takes percentages as strings.
    case percentText
    case oneOf([String])
    case list(Schema)
    /// Any keys.
    case map(Schema)
    /// These keys and no others.
    case object(required: [String: Schema], optional: [String: Schema] = [:])

    /// - Returns: what is wrong, each with the path to it; empty when all is well.
    func problems(with value: YAML, at path: String) -> [String] {
        switch (self, value) {
        case (.list(let items), .list(let values)):
            values.enumerated().flatMap { items.problems(with: $1, at: "\(path)[\($0)]") }
        case (.map(let values), .map(let fields)):
            fields.sorted { $0.key < $1.key }.flatMap { values.problems(with: $1, at: "\(path).\($0)") }
        case (.object(let required, let optional), .map(let fields)):
            Schema.problems(with: fields, required: required, optional: optional, at: path)
        case (_, .scalar(let text, let isPlain)):
            takes(text, isPlain: isPlain) ? [] : ["\(path): '\(text)' is not \(name)"]
        default: ["\(path): is not \(name)"]
        }
    }

    private static func problems(
        with fields: [String: YAML], required: [String: Schema], optional: [String: Schema], at path: String
    ) -> [String] {
        let missing = required.keys.filter { fields[$0] == nil }.map { "\(path).\($0): is missing" }
        let found = fields.flatMap { name, value in
            (required[name] ?? optional[name])?.problems(with: value, at: "\(path).\(name)")
                ?? ["\(path).\(name): is not known"]
        }
        return (missing + found).sorted()
    }

    private func takes(_ text: String, isPlain: Bool) -> Bool {
        let isNumber = Int(text) != nil || Double(text) != nil
        return switch self {
        case .text: !isPlain || !(isNumber || ["true", "false", "null", "~", ""].contains(text))
        case .integer: isPlain && Int(text) != nil
        case .boolean: isPlain && ["true", "false"].contains(text)
        case .duration: text.wholeMatch(of: /-?(\d+(\.\d+)?(ns|us|ms|s|m|h))+/) != nil
        case .percentText: !isPlain && Double(text).map { (0...100).contains($0) } == true
        case .oneOf(let names): names.contains(text)
        case .list, .map, .object: false
        }
    }

    private var name: String {
        switch self {
        case .text: "a text"
        case .integer: "a whole number"
        case .boolean: "true or false"
        case .duration: "a duration such as 60s"
        case .percentText: "a percentage in quotes"
        case .oneOf(let names): "one of \(names.joined(separator: ", "))"
        case .list: "a list"
        case .map, .object: "a map"
        }
    }
}
