extension Packet {
    private enum Kind: UInt8 { case gossip, ping, ack, nack, pingRequest, tableRequest, tablePiece }
    private enum Tag: UInt8 { case claim, table }

    /// Without items; `PacketBuilder` adds as many as fit.
    func writeHead(into writer: inout WireWriter) {
        writer.write(Packet.version)
        writer.write(cluster)
        writer.write(sender)
        switch message {
        case .gossip: writer.write(Kind.gossip.rawValue)
        case .ping(let sequence, let target):
            writer.write(Kind.ping.rawValue)
            writer.write(sequence)
            writer.write(target)
        case .ack(let sequence):
            writer.write(Kind.ack.rawValue)
            writer.write(sequence)
        case .nack(let sequence):
            writer.write(Kind.nack.rawValue)
            writer.write(sequence)
        case .pingRequest(let sequence, let target, let address):
            writer.write(Kind.pingRequest.rawValue)
            writer.write(sequence)
            writer.write(target)
            writer.write(address)
        case .tableRequest(let node, let version, let offset):
            writer.write(Kind.tableRequest.rawValue)
            writer.write(node)
            writer.write(version)
            writer.writeCount(offset)
        case .tablePiece(let piece):
            writer.write(Kind.tablePiece.rawValue)
            piece.write(into: &writer)
        }
    }

    package var bytes: [UInt8] {
        var writer = WireWriter(reserving: Packet.bytesMax)
        writeHead(into: &writer)
        for item in items { writer.writeRaw(item.bytes) }
        return writer.bytes
    }

    package init(_ bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Packet.bytesMax else { throw .trailing(bytes.count - Packet.bytesMax) }
        var reader = WireReader(bytes)
        let version: UInt8 = try reader.read()
        guard version == Packet.version else { throw .version(version) }
        cluster = try reader.read()
        sender = try reader.readNode()
        message = try Packet.readMessage(&reader)
        while reader.remaining > 0 { items.append(try Packet.readItem(&reader)) }
    }

    private static func readMessage(_ reader: inout WireReader) throws(WireError) -> Message {
        let byte: UInt8 = try reader.read()
        switch Kind(rawValue: byte) {
        case .gossip: return .gossip
        case .ping: return .ping(try reader.read(), target: try reader.readNode())
        case .ack: return .ack(try reader.read())
        case .nack: return .nack(try reader.read())
        case .pingRequest:
            return .pingRequest(try reader.read(), target: try reader.readNode(), at: try reader.readAddress())
        case .tableRequest:
            let (node, version) = (try reader.readNode(), try reader.readStamp())
            let offset = try reader.readCount("offset", in: 0...NodeTable.bytesMax)
            return .tableRequest(node, newerThan: version, offset: offset)
        case .tablePiece: return .tablePiece(try TablePiece(&reader))
        case nil: throw .invalid(what: "kind of packet", value: "\(byte)")
        }
    }

    private static func readItem(_ reader: inout WireReader) throws(WireError) -> Item {
        let byte: UInt8 = try reader.read()
        switch Tag(rawValue: byte) {
        case .claim: return .claim(try reader.readClaim())
        case .table: return .table(try reader.readNode(), try reader.readStamp())
        case nil: throw .invalid(what: "gossip tag", value: "\(byte)")
        }
    }
}

extension Packet.Item {
    /// Made once, when the item is queued, for it goes out many times.
    var bytes: [UInt8] {
        var writer = WireWriter(reserving: 64)
        switch self {
        case .claim(let claim):
            writer.write(UInt8(0))
            writer.write(claim)
        case .table(let node, let version):
            writer.write(UInt8(1))
            writer.write(node)
            writer.write(version)
        }
        return writer.bytes
    }
}

extension TablePiece {
    func write(into writer: inout WireWriter) {
        writer.write(node)
        writer.write(version)
        writer.writeCount(total)
        writer.writeCount(offset)
        writer.write(bytes)
    }

    init(_ reader: inout WireReader) throws(WireError) {
        node = try reader.readNode()
        version = try reader.readStamp()
        total = try reader.readCount("size of a table", in: 0...NodeTable.bytesMax)
        offset = try reader.readCount("offset", in: 0...total)
        bytes = Array(try reader.readBytes("piece of a table", max: min(Packet.pieceBytesMax, total - offset)))
    }
}
