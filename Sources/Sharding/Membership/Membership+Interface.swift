extension Membership {
    /// Names a TCP connection that the shell has accepted or opened; the shell chooses the numbers.
    package struct StreamID: Hashable, Sendable {
        package let number: Int
        package init(_ number: Int) { self.number = number }
    }

    package enum Event: Sendable {
        /// Once, first. Seeds are addresses where some node of the cluster may be; this node's own does no harm.
        case start(seeds: [PeerAddress])
        case tick
        /// Opened already, if sealed. What cannot be opened is dropped (and counted) by the shell.
        case datagram([UInt8], from: PeerAddress)
        /// A whole frame, opened already.
        case frame([UInt8], on: StreamID, from: PeerAddress)
        /// A whole frame arrived that the key does not open.
        case unreadableFrame(on: StreamID, from: PeerAddress)
        /// A standing connection to that node was reset.
        case peerReset(NodeID)
        /// The machine of that node says that nobody listens where its process ought to.
        case peerRefused(NodeID)
        /// Say goodbye; `departed` follows.
        case leave
    }

    package enum Effect: Equatable, Sendable {
        /// Seal and send as one datagram. It may be lost.
        case send([UInt8], to: PeerAddress)
        /// Open a TCP connection, send the frame, hand in as `.frame` what comes back, and close it after 5 s of silence.
        /// Nothing needs to be said when that fails: it is tried again.
        case open(PeerAddress, [UInt8])
        /// Send the frame on that connection; close it after that if it is the last. Never sealed when it is the refusal for
        /// an unreadable frame, as the other side could not open it.
        case reply(StreamID, [UInt8], isLast: Bool)
        /// Belief changed; compute what follows from it once the effects of this event are carried out.
        case changed(NodeID, Change)
        /// The goodbye is out: the process may end.
        case departed
        /// For the log and the metrics.
        case report(Report)
    }

    package enum Change: Equatable, Sendable {
        /// New, or back from the dead, or in a new life (restarted).
        case joined
        /// No longer suspected.
        case refuted
        case suspected
        case died
        case left
        /// It published a new table.
        case table
    }

    package enum Report: Equatable, Sendable {
        /// This node may not join: what it says must be made right, then it may be started again.
        case refused(by: PeerAddress, JoinRefusal)
        /// That node may not join. `nil` when it could not even be understood.
        case refusing(NodeID?, at: PeerAddress, JoinRefusal)
        case malformed(from: PeerAddress, WireError)
        /// A packet of a cluster with other settings.
        case foreign(NodeID, from: PeerAddress)
        /// Another process lives under this node's id.
        case clash(with: PeerAddress)
        /// Others had declared this node dead or suspect; it denied that.
        case refuted(Claim.Status)
        /// This node stood still for so long.
        case paused(Duration)
    }

    package struct Member: Equatable, Sendable {
        package let id: NodeID
        package let status: Claim.Status
        package let incarnation: Stamp
        package let address: PeerAddress
        package let since: Moment
        package let tableVersion: Stamp
        /// Empty while not known.
        package let table: [UInt8]
    }

    /// Everyone known, this node and the dead that are not yet forgotten with them; sorted.
    package var members: [Member] {
        peers.values.map(member).sorted { $0.id < $1.id }
    }
    package func member(_ node: NodeID) -> Member? { peers[node].map(member) }
    /// 0 is well; up to `SwimTiming.healthMax`. For metrics.
    package var healthScore: Int { health.score }
    package var incarnation: Stamp { ownPeer.claim.incarnation }

    /// The moment to hand in, with `handle`, what was found waiting in a socket at `now`. It may have waited past a deadline,
    /// but what else waits there may be just what was missed: until all is read it counts as come in time, unless the
    /// process stood still for so long that `Membership` wants to know.
    package func arrival(at now: Moment) -> Moment {
        let isLate = now >= deadline && now - deadline <= timing.pauseMax ?? .zero
        return isLate ? deadline - .nanoseconds(1) : now
    }

    private func member(_ peer: Peer) -> Member {
        Member(
            id: peer.claim.node, status: peer.claim.status, incarnation: peer.claim.incarnation,
            address: peer.claim.address, since: peer.since, tableVersion: peer.tableVersion, table: peer.table)
    }
}
