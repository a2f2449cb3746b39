import Gossip
import Kafka
import Replication
import enum Sharding.JoinRefusal
import Web

/// Why a node cannot start, or had to stop.
package enum NodeError: Error, CustomStringConvertible {
    case settings(SettingsError)
    case address(String, reason: String)
    case log(LogError)
    case web(WebError)
    case kafka(KafkaError)
    case gossip(GossipError)
    /// The cluster does not take this node, and it is alone.
    case refused(JoinRefusal)
    case tracks(path: String, reason: String)

    package var description: String {
        switch self {
        case .settings(let error): "\(error)"
        case .address(let address, let reason): "\(address): \(reason)"
        case .log(let error): "\(error)"
        case .web(let error): "\(error)"
        case .kafka(let error): "\(error)"
        case .gossip(let error): "\(error)"
        case .refused(let refusal): "the cluster refuses this node: \(refusal)"
        case .tracks(let path, let reason): "--track-sectors-path \(path): \(reason)"
        }
    }
}
