/// Where Kafka is and how to talk to it. What a user says about a client is passed on, except against `KafkaRules`.
package struct KafkaConfiguration: Sendable, Equatable {
    /// `host:port`, separated by commas.
    package let brokers: String
    /// In the order given; the last of a name counts.
    package private(set) var settings: [(name: String, value: String)] = []

    /// - Parameter settings: `name=value` each, as in librdkafka's CONFIGURATION.md, over those in `properties`.
    /// - Parameter properties: path of a file with one `name=value` a line.
    package init(brokers: String, settings: [String] = [], properties: String? = nil) throws(KafkaError) {
        self.brokers = brokers
        guard KafkaConfiguration.isAddressList(brokers) else {
            throw .setting(name: "bootstrap.servers", value: brokers, reason: "must be host:port[,host:port…]")
        }
        if let properties {
            for (name, value) in try PropertiesFile.read(properties) { try add(name, value) }
        }
        for setting in settings {
            guard let equals = setting.firstIndex(of: "="), equals > setting.startIndex else {
                throw .setting(name: setting, value: "", reason: "must have the form name=value")
            }
            try add(String(setting[..<equals]), String(setting[setting.index(after: equals)...]))
        }
        // The client itself knows what is unknown or malformed: make one of each kind and throw it away.
        for isProducer in [false, true] { try ClientSettings.check(self, isProducer: isProducer) }
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.brokers == right.brokers && left.settings.elementsEqual(right.settings, by: ==)
    }

    /// The same with a setting of our own.
    package func with(_ name: String, _ value: String) -> KafkaConfiguration {
        var copy = self
        if !settings.contains(where: { $0.name == name }) { copy.settings.append((name, value)) }
        return copy
    }

    private mutating func add(_ name: String, _ value: String) throws(KafkaError) {
        if let rule = KafkaRules.rule(for: name), rule.value != value {
            let allowed = rule.value.map { "it must be \($0)" } ?? "it cannot be set"
            throw .setting(name: name, value: ClientSettings.shown(name, value), reason: "\(allowed): \(rule.reason)")
        }
        settings.append((name, value))
    }

    /// The client takes an address without a port to mean 9092; a typing error is more likely.
    private static func isAddressList(_ text: String) -> Bool {
        !text.isEmpty
            && text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { address in
                guard let colon = address.lastIndex(of: ":"), colon > address.startIndex,
                    let port = Int(address[address.index(after: colon)...])
                else { return false }
                return (1...65_535).contains(port) && !address.contains { $0.isWhitespace || $0 == "/" }
            }
    }
}
