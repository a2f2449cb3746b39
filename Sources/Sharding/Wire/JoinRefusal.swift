/// Why a node may not join. Both sides say it: the one that is refused and the one that refuses.
package enum JoinRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case settings(name: String, joining: String, cluster: String)
    /// Of the protocol between nodes.
    case version(joining: UInt8, cluster: UInt8)
    /// What the node sent cannot be opened with the cluster's key.
    case key

    package var description: String {
        switch self {
        case .settings(let name, let joining, let cluster):
            "\(name) is '\(joining)' on the node that joins and '\(cluster)' in the cluster; make them equal"
        case .version(let joining, let cluster):
            "the node that joins speaks protocol version \(joining), the cluster \(cluster); upgrade the older"
        case .key: "the gossip keys differ; start the node with the cluster's --gossip-key"
        }
    }
}

extension WireWriter {
    mutating func write(_ refusal: JoinRefusal) {
        switch refusal {
        case .settings(let name, let joining, let cluster):
            write(UInt8(0))
            for text in [name, joining, cluster] { write(text) }
        case .version(let joining, let cluster):
            for byte in [1, joining, cluster] { write(byte) }
        case .key: write(UInt8(2))
        }
    }
}

extension WireReader {
    mutating func readRefusal() throws(WireError) -> JoinRefusal {
        let limit = ClusterSettings.textBytesMax
        let byte: UInt8 = try read()
        switch byte {
        case 0:
            return .settings(
                name: try readText("setting", max: limit), joining: try readText("setting", max: limit),
                cluster: try readText("setting", max: limit))
        case 1: return .version(joining: try read(), cluster: try read())
        case 2: return .key
        default: throw .invalid(what: "refusal", value: "\(byte)")
        }
    }
}
