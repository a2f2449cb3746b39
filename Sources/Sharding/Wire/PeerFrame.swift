/// One message on a TCP connection between nodes. The shell puts its length before it, seals it like a packet, and refuses
/// more than `bytesMax`.
///
/// A push/pull is three frames on one connection: `hello` says all that one side knows, and which version of each table it
/// has; `delta` answers with what it lacks, and names what the answerer lacks; a last `delta` brings that. Tables cross
/// only where they differ. Source: SWIM-style push/pull as in memberlist; the digest as in Scuttlebutt (van Renesse et
/// al., 2008).
package enum PeerFrame: Equatable, Sendable {
    package static let bytesMax = 16 << 20
    static let nodesMax = 10_000

    case hello(Hello)
    case delta(Delta)
    case refusal(JoinRefusal)

    package struct Hello: Equatable, Sendable {
        package var sender: NodeID
        package var settings: ClusterSettings
        package var known: [Known]

        package init(sender: NodeID, settings: ClusterSettings, known: [Known]) {
            self.sender = sender
            self.settings = settings
            self.known = known
        }
    }
    /// One node's life, and the version of its table the sender has.
    package struct Known: Equatable, Sendable {
        package var claim: Claim
        package var table: Stamp

        package init(claim: Claim, table: Stamp) {
            self.claim = claim
            self.table = table
        }
    }
    package struct Delta: Equatable, Sendable {
        package var claims: [Claim] = []
        package var tables: [TableCopy] = []
        /// Whose tables the sender would like, in answer.
        package var wanted: [NodeID] = []

        package init(claims: [Claim] = [], tables: [TableCopy] = [], wanted: [NodeID] = []) {
            self.claims = claims
            self.tables = tables
            self.wanted = wanted
        }
    }
    package struct TableCopy: Equatable, Sendable {
        package var node: NodeID
        package var version: Stamp
        package var bytes: [UInt8]

        package init(node: NodeID, version: Stamp, bytes: [UInt8]) {
            self.node = node
            self.version = version
            self.bytes = bytes
        }
    }
}

extension PeerFrame {
    package var bytes: [UInt8] {
        var writer = WireWriter()
        writer.write(Packet.version)
        switch self {
        case .hello(let hello):
            writer.write(UInt8(0))
            writer.write(hello.sender)
            writer.write(hello.settings)
            writer.write(hello.known) { writer, known in
                writer.write(known.claim)
                writer.write(known.table)
            }
        case .delta(let delta):
            writer.write(UInt8(1))
            writer.write(delta.claims) { $0.write($1) }
            writer.write(delta.tables) { writer, table in
                writer.write(table.node)
                writer.write(table.version)
                writer.write(table.bytes)
            }
            writer.write(delta.wanted) { $0.write($1) }
        case .refusal(let refusal):
            writer.write(UInt8(2))
            writer.write(refusal)
        }
        return writer.bytes
    }

    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        let version: UInt8 = try reader.read()
        guard version == Packet.version else { throw .version(version) }
        let kind: UInt8 = try reader.read()
        switch kind {
        case 0: self = .hello(try Hello(&reader))
        case 1: self = .delta(try Delta(&reader))
        case 2: self = .refusal(try reader.readRefusal())
        default: throw .invalid(what: "kind of frame", value: "\(kind)")
        }
        try reader.finish()
    }
}

extension PeerFrame.Hello {
    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        sender = try reader.readNode()
        settings = try reader.readSettings()
        known = try reader.readList("nodes", max: PeerFrame.nodesMax) { reader throws(WireError) in
            PeerFrame.Known(claim: try reader.readClaim(), table: try reader.readStamp())
        }
    }
}

extension PeerFrame.Delta {
    fileprivate init(_ reader: inout WireReader) throws(WireError) {
        claims = try reader.readList("claims", max: PeerFrame.nodesMax) { reader throws(WireError) in
            try reader.readClaim()
        }
        tables = try reader.readList("tables", max: PeerFrame.nodesMax) { reader throws(WireError) in
            PeerFrame.TableCopy(
                node: try reader.readNode(), version: try reader.readStamp(),
                bytes: Array(try reader.readBytes("table", max: NodeTable.bytesMax)))
        }
        wanted = try reader.readList("nodes", max: PeerFrame.nodesMax) { reader throws(WireError) in
            try reader.readNode()
        }
    }
}
