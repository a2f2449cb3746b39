extension NodeTable {
    private static let format: UInt8 = 1

    /// - Throws: `.tooLarge` over `bytesMax`.
    package func encoded() throws(NodeTableError) -> [UInt8] {
        var writer = WireWriter()
        writer.write(Self.format)
        for text in [url, version, zone] { writer.write(text) }
        writer.writeCount(max(0, weight))
        writer.write(UInt8(isDraining ? 1 : 0))
        writer.write(shards) { $0.write($1) }
        guard writer.bytes.count <= Self.bytesMax else { throw .tooLarge(bytes: writer.bytes.count) }
        return writer.bytes
    }

    package init(_ bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        let format: UInt8 = try reader.read()
        guard format == Self.format else { throw .invalid(what: "format of a table", value: "\(format)") }
        url = try reader.readText("url", max: Self.bytesMax)
        version = try reader.readText("version", max: Self.bytesMax)
        zone = try reader.readText("zone", max: Self.bytesMax)
        weight = try reader.readCount("weight", in: 0...Int(UInt32.max))
        isDraining = try reader.readCount("flag", in: 0...1) == 1
        shards = try reader.readList("shards", max: ShardID.countMax) { reader throws(WireError) in
            try reader.readShardReport()
        }
        guard zip(shards, shards.dropFirst()).allSatisfy({ $0.shard < $1.shard }) else {
            throw .invalid(what: "order of shards", value: "\(shards.map(\.shard))")
        }
        try reader.finish()
    }
}

extension WireWriter {
    fileprivate mutating func write(_ report: ShardReport) {
        writeCount(report.shard.number)
        write(report.phase.rawValue | (report.isLeaving ? 0x40 : 0) | (report.hash == nil ? 0 : 0x80))
        writeCount(report.lag)
        if let hash = report.hash {
            writeCount(hash.offset)
            write(hash.hash)
        }
    }
}

extension WireReader {
    fileprivate mutating func readShardReport() throws(WireError) -> ShardReport {
        let shard = ShardID(try readCount("shard", in: 0...ShardID.countMax - 1))
        let flags: UInt8 = try read()
        guard let phase = ShardReport.Phase(rawValue: flags & 0x3F) else {
            throw .invalid(what: "phase", value: "\(flags)")
        }
        let lag = try readCount()
        let hash = flags & 0x80 == 0 ? nil : StateHash(offset: try readCount(), hash: try read())
        return ShardReport(shard, phase, isLeaving: flags & 0x40 != 0, lag: lag, hash: hash)
    }
}
