/// Something that happens to a cluster. Nodes and brokers are numbered from 1.
package enum Fault: Sendable, Equatable {
    /// SIGKILL.
    case kill(Int)
    /// Starts a node that is not running, under the same name and address and with the same data.
    case start(Int)
    /// SIGSTOP, and what ends it.
    case freeze(Int)
    case thaw(Int)
    /// SIGTERM: the node hands over its shards and ends.
    case drain(Int)
    case brokerDown(Int)
    case brokerUp(Int)
    /// Every answer of every broker comes so much later, ms; 0 ends it.
    case brokersSlow(Int)
    /// Every partition gets another broker for a leader.
    case moveLeaders
    /// The next requests of that kind fail, one for each name in `kafka-sim --help`.
    case kafkaErrors(String, [String])
    /// All connections of clients are reset.
    case resetClients
    /// Nothing passes between the one nodes and the others, either way.
    case part([Int], [Int])
    /// What the first node sends does not reach the second.
    case cutOneWay(Int, Int)
    /// What the node sends does not reach Kafka; its peers and clients still hear it.
    case cutFromKafka(Int)
    /// So many per cent of all packets that nodes send are lost.
    case lose(Int)
    /// The network is whole again.
    case heal
    /// The node's data directory has no space left, and has it again.
    case fillDisk(Int)
    case emptyDisk(Int)
    /// Bytes in the middle of the node's snapshots are turned over. Only while it is not running.
    case corruptSnapshots(Int)
    /// So many records that nobody can read are written to the log.
    case poison(Int)
    /// No fault: waits until all nodes that run are ready. What comes after it is so much later.
    case settle
    /// The wall clock of the node jumps by so many seconds.
    case jumpClock(Int, Int)
}

extension Fault {
    /// The same fault with other nodes in the places of these.
    package func mappingNodes(_ map: (Int) -> Int) -> Fault {
        switch self {
        case .kill(let node): .kill(map(node))
        case .start(let node): .start(map(node))
        case .freeze(let node): .freeze(map(node))
        case .thaw(let node): .thaw(map(node))
        case .drain(let node): .drain(map(node))
        case .part(let some, let others): .part(some.map(map), others.map(map))
        case .cutOneWay(let from, let to): .cutOneWay(map(from), map(to))
        case .cutFromKafka(let node): .cutFromKafka(map(node))
        case .fillDisk(let node): .fillDisk(map(node))
        case .emptyDisk(let node): .emptyDisk(map(node))
        case .corruptSnapshots(let node): .corruptSnapshots(map(node))
        case .jumpClock(let node, let seconds): .jumpClock(map(node), seconds)
        case .brokerDown, .brokerUp, .brokersSlow, .moveLeaders, .kafkaErrors, .resetClients, .lose, .heal, .poison,
            .settle:
            self
        }
    }

    /// Whether it makes things better; for the timeline.
    package var isRelief: Bool {
        switch self {
        case .start, .thaw, .brokerUp, .heal, .emptyDisk, .brokersSlow(0), .settle: true
        default: false
        }
    }
}

extension Fault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .kill(let node): "kill -9 n\(node)"
        case .start(let node): "start n\(node)"
        case .freeze(let node): "freeze n\(node)"
        case .thaw(let node): "thaw n\(node)"
        case .drain(let node): "drain n\(node)"
        case .brokerDown(let broker): "broker \(broker) down"
        case .brokerUp(let broker): "broker \(broker) up"
        case .brokersSlow(let milliseconds): milliseconds == 0 ? "brokers fast" : "brokers \(milliseconds) ms late"
        case .moveLeaders: "leaders move"
        case .kafkaErrors(let request, let errors): "\(errors.count) x \(request) fails"
        case .resetClients: "clients reset"
        case .part(let some, let others): "part \(Fault.list(some)) | \(Fault.list(others))"
        case .cutOneWay(let from, let to): "cut n\(from) > n\(to)"
        case .cutFromKafka(let node): "cut n\(node) > Kafka"
        case .lose(let percent): "lose \(percent) %"
        case .heal: "heal"
        case .fillDisk(let node): "disk of n\(node) full"
        case .emptyDisk(let node): "disk of n\(node) free"
        case .corruptSnapshots(let node): "corrupt snapshots of n\(node)"
        case .poison(let count): "\(count) poison records"
        case .settle: "all ready"
        case .jumpClock(let node, let seconds): "clock of n\(node) \(seconds > 0 ? "+" : "")\(seconds) s"
        }
    }

    private static func list(_ nodes: [Int]) -> String { nodes.map { "n\($0)" }.joined(separator: " ") }
}
