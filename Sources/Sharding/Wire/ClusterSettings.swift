/// The settings that make nodes one cluster: partition count, replicas, topics. Nodes compare them when they meet.
package struct ClusterSettings: Equatable, Sendable {
    package static let countMax = 64
    package static let textBytesMax = 255

    package struct Entry: Equatable, Sendable {
        package let name: String
        package let value: String
    }
    /// Sorted by name.
    package let entries: [Entry]

    /// - Parameter values: at most `countMax`, name and value at most `textBytesMax` bytes each; what the node's own
    ///   configuration says, so more is a mistake in the program.
    package init(_ values: [String: String]) {
        precondition(values.count <= Self.countMax, "\(values.count) settings are too many to compare")
        entries = values.sorted { $0.key < $1.key }.map { Entry(name: $0.key, value: $0.value) }
        precondition(
            entries.allSatisfy { max($0.name.utf8.count, $0.value.utf8.count) <= Self.textBytesMax },
            "a setting is too long to compare: \(entries)")
    }

    /// Goes into every packet.
    package var hash: UInt64 {
        entries.reduce(UInt64(Packet.version)) { hash, entry in
            StableMix.mix(hash ^ StableMix.hash("\(entry.name)=\(entry.value)".utf8))
        }
    }

    /// The first setting in which a node that joins differs.
    func difference(of joining: ClusterSettings) -> JoinRefusal? {
        let names = Set((entries + joining.entries).map(\.name)).sorted()
        for name in names where value(of: name) != joining.value(of: name) {
            return .settings(name: name, joining: joining.value(of: name) ?? "", cluster: value(of: name) ?? "")
        }
        return nil
    }

    private func value(of name: String) -> String? { entries.first { $0.name == name }?.value }
}

extension WireWriter {
    mutating func write(_ settings: ClusterSettings) {
        write(settings.entries) { writer, entry in
            writer.write(entry.name)
            writer.write(entry.value)
        }
    }
}

extension WireReader {
    mutating func readSettings() throws(WireError) -> ClusterSettings {
        let limit = ClusterSettings.textBytesMax
        let entries = try readList("settings", max: ClusterSettings.countMax) { reader throws(WireError) in
            (try reader.readText("setting", max: limit), try reader.readText("setting", max: limit))
        }
        return ClusterSettings(Dictionary(entries, uniquingKeysWith: { first, _ in first }))
    }
}
