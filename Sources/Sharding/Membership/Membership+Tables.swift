/// Tables: published, heard of, asked for, brought in pieces.
extension Membership {
    /// Publishes a new version of this node's table. Nothing happens when it is the same as before.
    ///
    /// - Throws: `.tooLarge`; the version before stays.
    package mutating func publish(
        _ table: NodeTable, at now: Moment, using random: inout some RandomNumberGenerator
    ) throws(NodeTableError) -> [Effect] {
        let bytes = try table.encoded()
        guard bytes != ownPeer.table else { return [] }
        let base = max(ownPeer.tableVersion, Stamp(boot: ownPeer.claim.incarnation.boot, counter: 0))
        peers[own]?.tableVersion = base.next
        peers[own]?.table = bytes
        spread(.table(own, base.next), at: now)
        return handle(.tick, at: now, using: &random)
    }

    mutating func hear(
        ofTable node: NodeID, _ version: Stamp, from source: PeerAddress, at now: Moment, into effects: inout [Effect]
    ) {
        guard let peer = peers[node] else { return }
        if version < peer.tableVersion, peer.claim.address == source {
            // Of a former life, with a clock ahead: its owner must outdo that to be listened to.
            return send(.gossip, to: source, node: node, first: [.table(node, peer.tableVersion)], into: &effects)
        }
        guard version > peer.tableVersion else { return }
        guard node != own else { return outdoFormerLife(version, at: now) }
        if let fetch = fetches[node], fetch.version >= version { return }
        fetches[node] = TableFetch(of: version, from: source, at: now)
        request(node, into: &effects)
    }

    /// A former life of this node, with a clock ahead, published that version.
    mutating func outdoFormerLife(_ version: Stamp, at now: Moment) {
        guard version > ownPeer.tableVersion else { return }
        peers[own]?.tableVersion = version.next
        spread(.table(own, version.next), at: now)
    }

    private mutating func request(_ node: NodeID, into effects: inout [Effect]) {
        guard let peer = peers[node], let fetch = fetches[node] else { return }
        let message = Packet.Message.tableRequest(node, newerThan: peer.tableVersion, offset: fetch.offset)
        send(message, to: fetch.source, node: nil, into: &effects)
    }

    mutating func sendTable(
        of node: NodeID, newerThan version: Stamp, offset: Int, to address: PeerAddress, into effects: inout [Effect]
    ) {
        guard let peer = peers[node], peer.tableVersion > version else { return }
        let total = peer.table.count
        for start in stride(from: min(offset, total), to: max(total, 1), by: Packet.pieceBytesMax) {
            let bytes = Array(peer.table[start..<min(total, start + Packet.pieceBytesMax)])
            let piece = TablePiece(
                node: node, version: peer.tableVersion, total: total, offset: start, bytes: bytes)
            send(.tablePiece(piece), to: address, node: nil, into: &effects)
        }
    }

    mutating func receive(_ piece: TablePiece, at now: Moment, into effects: inout [Effect]) {
        guard let table = fetches[piece.node]?.take(piece, at: now) else { return }
        store(PeerFrame.TableCopy(node: piece.node, version: piece.version, bytes: table), at: now, into: &effects)
    }

    mutating func store(_ copy: PeerFrame.TableCopy, at now: Moment, into effects: inout [Effect]) {
        guard copy.node != own, let peer = peers[copy.node], copy.version > peer.tableVersion else { return }
        if let fetch = fetches[copy.node], fetch.version <= copy.version { fetches[copy.node] = nil }
        peers[copy.node]?.tableVersion = copy.version
        peers[copy.node]?.table = copy.bytes
        spread(.table(copy.node, copy.version), at: now)
        effects.append(.changed(copy.node, .table))
    }

    mutating func retryFetches(at now: Moment, into effects: inout [Effect]) {
        guard !fetches.isEmpty else { return }
        for node in fetches.filter({ $0.value.retryAt <= now }).keys.sorted() {
            guard fetches[node]?.retry(at: now) == true else {
                fetches[node] = nil
                continue
            }
            // Who offered it may have died: its owner has it for certain.
            if let address = peers[node]?.claim.address { fetches[node]?.turn(to: address) }
            request(node, into: &effects)
        }
    }
}
