/// Why a node does not start.
package enum SettingsError: Error, Equatable, CustomStringConvertible {
    case notAllowed(name: String, value: String, allowed: String)
    case unknownFlag(String, known: [String])
    case missingValue(flag: String)

    package var description: String {
        switch self {
        case .notAllowed(let name, let value, let allowed): "\(name) is '\(value)'; it must be \(allowed)"
        case .unknownFlag(let flag, let known):
            "there is no \(flag); there are \(known.map { "--\($0)" }.joined(separator: ", "))"
        case .missingValue(let flag): "\(flag) needs a value, as in \(flag) VALUE"
        }
    }
}

/// Flags over environment over defaults, read once before anything starts.
package struct Settings: Sendable {
    private let table: [Setting]
    private var given: [String: (name: String, value: String)] = [:]

    /// - Parameter arguments: `--name value` or `--name=value`; nothing else.
    package init(table: [Setting], arguments: [String], environment: [String: String]) throws(SettingsError) {
        self.table = table
        for setting in table {
            for name in [setting.environmentName] + setting.aliases.reversed() {
                if let value = environment[name], !value.isEmpty, given[setting.name] == nil {
                    given[setting.name] = (name, value)
                }
            }
        }
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts[0].hasPrefix("--"), let setting = table.first(where: { "--\($0.name)" == parts[0] }) else {
                throw .unknownFlag(parts[0], known: table.map(\.name))
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw .missingValue(flag: parts[0])
            }
            if case .texts = setting.kind, let earlier = given[setting.name], earlier.name == parts[0] {
                given[setting.name] = (parts[0], earlier.value + "\n" + value)
            } else {
                given[setting.name] = (parts[0], value)
            }
        }
    }

    package func integer(_ name: String) throws(SettingsError) -> Int {
        let (setting, source, value) = find(name)
        guard case .integer(let range) = setting.kind else {
            preconditionFailure("setting \(name) is not a number")
        }
        guard let number = Int(value), range.contains(number) else {
            throw .notAllowed(name: source, value: value, allowed: setting.allowed)
        }
        return number
    }

    package func text(
        _ name: String, where isAllowed: (String) -> Bool = { !$0.isEmpty }
    ) throws(SettingsError) -> String {
        let (setting, source, value) = find(name)
        if case .choice(let choices) = setting.kind, !choices.contains(value) {
            throw .notAllowed(name: source, value: value, allowed: setting.allowed)
        }
        guard isAllowed(value) else { throw .notAllowed(name: source, value: value, allowed: setting.allowed) }
        return value
    }

    /// `nil` when it was neither given nor has a default.
    package func optionalText(_ name: String) -> String? {
        let value = find(name).value
        return value.isEmpty ? nil : value
    }

    /// Each of what was given, in order; from the environment one a line.
    package func texts(_ name: String) -> [String] {
        find(name).value.split(separator: "\n").map(String.init)
    }

    package func isGiven(_ name: String) -> Bool { given[name] != nil }

    private func find(_ name: String) -> (setting: Setting, source: String, value: String) {
        guard let setting = table.first(where: { $0.name == name }) else {
            preconditionFailure("there is no setting \(name)")
        }
        let value = given[name]
        return (setting, value?.name ?? "--\(name)", value?.value ?? setting.fallback)
    }
}
