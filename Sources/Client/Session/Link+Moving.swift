/// A connection to another node, made while the one whose node is about to go still serves.
struct Successor: Sendable, Equatable {
    let id: ConnectionID
    let address: Destination
    /// When it is given up, unless it serves by then.
    let until: Moment
    /// Whether the WebSocket is open; the node has not said yet that it serves.
    var isOpen = false
    /// What to try after it, in this order.
    var others: ArraySlice<Destination>
    /// The old connection's node stays: it was not asked to go.
    var isRelocation: Bool
}

/// Going to another node without a pause: connect there, and leave here when that one serves.
extension Link {
    package func isSuccessor(_ id: ConnectionID) -> Bool { successor?.id == id }

    /// The node is about to go. Nothing changes for the connection until a successor serves.
    /// - Parameter urls: who can take over, the best first. After them those that the program listed are tried; also the
    ///   present one, since behind one address there may be several nodes.
    package mutating func move(to urls: [String], at now: Moment) -> [Effect] {
        guard connection != nil, successor?.isRelocation ?? true else { return [] }
        let told = urls.prefix(Self.toldMax).map { Destination.told(url: $0) }
        let own = (1...urlCount).map { Destination.listed((listed + $0) % urlCount) }
        guard successor == nil else {
            successor?.others = (told + own)[...]
            successor?.isRelocation = false
            return []
        }
        return seekSuccessor((told + own)[...], at: now, isRelocation: false)
    }

    /// The successor serves: it takes the place of the old connection, which ends.
    package mutating func succeed(_ id: ConnectionID, at now: Moment) -> [Effect] {
        guard let successor, successor.id == id, successor.isOpen else { return [] }
        let old = disconnect(reason: "moved")
        adopt(successor)
        return old + open(id, at: now)
    }

    /// The successor does not serve.
    package mutating func refuse(_ id: ConnectionID, at now: Moment) -> [Effect] {
        guard isSuccessor(id) else { return [] }
        return [.disconnect(id, code: 1000, reason: "another node is tried")] + seekAnotherSuccessor(at: now)
    }

    mutating func seekAnotherSuccessor(at now: Moment) -> [Effect] {
        seekSuccessor(successor?.others ?? [], at: now, isRelocation: successor?.isRelocation ?? false)
    }

    /// When all were tried the connection is used while it lasts, and its loss is one like any other.
    mutating func seekSuccessor(
        _ candidates: ArraySlice<Destination>, at now: Moment, isRelocation: Bool
    ) -> [Effect] {
        successor = nil
        guard let address = candidates.first else { return [] }
        let id = newID()
        // A node that goes waits for its clients no longer than about that.
        let patience = min(timing.connectTimeout, timing.silence)
        successor = Successor(
            id: id, address: address, until: now + patience, others: candidates.dropFirst(),
            isRelocation: isRelocation)
        return [.connect(id, to: address)]
    }

    /// The old connection is lost before the successor serves: that one is gone on with.
    /// - Returns: `nil` when there is none.
    mutating func takeOver(after loss: Loss, at now: Moment) -> [Effect]? {
        guard let successor else { return nil }
        adopt(successor)
        let report = Effect.report(.disconnected(reason: loss.reason))
        if successor.isOpen { return [report] + open(successor.id, at: now) }
        state = .connecting(successor.id, until: successor.until)
        return [report]
    }

    private mutating func adopt(_ successor: Successor) {
        self.successor = nil
        address = successor.address
        if case .listed(let place) = successor.address { listed = place }
    }
}
