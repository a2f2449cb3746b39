/// One datagram between nodes: a message, and in the room that is left, gossip.
///
/// Layout: protocol version (1 byte), cluster (8), sender, kind (1), the kind's fields, then gossip to the end, each item
/// behind a tag (1 byte). The shell seals the whole (AES-256-GCM when a key is set) and may add `sealBytes`; together they
/// stay under 1,400 bytes, which no path between nodes has to fragment.
package struct Packet: Equatable, Sendable {
    package static let version: UInt8 = 1
    /// What the shell may add: a 12-byte nonce, a 16-byte tag, a key number.
    package static let sealBytes = 40
    package static let bytesMax = 1_400 - sealBytes
    /// The largest piece of a table in a packet; leaves room for ids and a little gossip.
    static let pieceBytesMax = 1_100

    package enum Message: Equatable, Sendable {
        case gossip
        /// Asks `target`, and nobody else who has its address now, for an `ack`.
        case ping(UInt32, target: NodeID)
        case ack(UInt32)
        /// From a go-between: the target did not answer me either, but I am here.
        case nack(UInt32)
        /// Asks a go-between to ping `target`.
        case pingRequest(UInt32, target: NodeID, at: PeerAddress)
        /// Asks for a table newer than `version`, from byte `offset` of it.
        case tableRequest(NodeID, newerThan: Stamp, offset: Int)
        case tablePiece(TablePiece)
    }

    /// What travels in the room that is left.
    package enum Item: Equatable, Sendable {
        case claim(Claim)
        /// The sender has this version of the node's table.
        case table(NodeID, Stamp)
    }

    /// Hash of the settings all nodes share: other clusters' packets are told apart before anything in them counts.
    package var cluster: UInt64
    package var sender: NodeID
    package var message: Message
    package var items: [Item] = []

    package init(cluster: UInt64, sender: NodeID, message: Message, items: [Item] = []) {
        self.cluster = cluster
        self.sender = sender
        self.message = message
        self.items = items
    }
}

/// A part of a node's table, as large as fits in a packet.
package struct TablePiece: Equatable, Sendable {
    package let node: NodeID
    package let version: Stamp
    /// Bytes of the whole table.
    package let total: Int
    package let offset: Int
    package let bytes: [UInt8]

    package init(node: NodeID, version: Stamp, total: Int, offset: Int, bytes: [UInt8]) {
        self.node = node
        self.version = version
        self.total = total
        self.offset = offset
        self.bytes = bytes
    }
}
