import Delivery
import Telemetry

/// Tells clients which other nodes there are and which of them have what they want, so that they go there and know where
/// to turn when this node dies.
extension Service {
    /// What a client of these shards is told; the same for many.
    struct OtherNodes {
        let isHere: Bool
        /// Those that have all of them live, and the others, those with more of them first.
        let direct: [String]
        let rest: [String]

        /// - Parameter number: clients are spread over those that are as good.
        func frame(_ number: UInt64) -> Frame {
            func turned(_ urls: [String]) -> [String] {
                let first = urls.isEmpty ? 0 : Int(number % UInt64(urls.count))
                return Array(urls[first...] + urls[..<first])
            }
            return ServerMessage.nodes(isHere: isHere, direct: direct.count, turned(direct) + rest)
        }
    }

    /// Tells a client, if it is news to it; from now on also when it changes.
    func tellNodes(_ id: SessionID) {
        guard node.cluster != nil else { return }
        nodesTold[id] = nodesTold[id] ?? 0
        guard !view.urls.isEmpty else { return }
        tell(otherNodes(for: shards(of: hub.patterns(of: id))), to: id)
    }

    /// To be called now and then: tells all, when something has changed. That there is nobody else is not told: a node that
    /// sees no other may be the one that is cut off, and its clients will need what they know.
    func tellNodesIfChanged() {
        guard nodesChanged, !isDraining, !view.urls.isEmpty else { return }
        nodesChanged = false
        var known: [Set<Int>: OtherNodes] = [:]
        for id in hub.sessionIDs where nodesTold[id] != nil {
            let wanted = shards(of: hub.patterns(of: id))
            let nodes = known[wanted] ?? otherNodes(for: wanted)
            known[wanted] = nodes
            tell(nodes, to: id)
        }
    }

    private func tell(_ nodes: OtherNodes, to id: SessionID) {
        guard sockets[id] != nil else { return }
        let frame = nodes.frame(id.value)
        let hash = StableHash.hash(Array(frame.payload))
        guard nodesTold.updateValue(hash, forKey: id) != hash else { return }
        carryOut(hub.send(frame, to: id))
    }

    private func otherNodes(for wanted: Set<Int>) -> OtherNodes {
        let counts = view.urls.map { node, url in (node, url, wanted.count { view.live($0).contains(node) }) }
        let ranked = counts.sorted { ($1.2, $0.0) < ($0.2, $1.0) }.map { (Service.streamAddress($0.1), $0.2) }
        let isDirect = { (other: (String, Int)) in !wanted.isEmpty && other.1 == wanted.count }
        return OtherNodes(
            isHere: wanted.allSatisfy(sources.isReplica), direct: ranked.filter(isDirect).map(\.0),
            rest: ranked.filter { !isDirect($0) }.map(\.0))
    }
}
