extension NodeTable {
    private static let format: UInt8 = 2

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

private enum Flag {
    static let phase: UInt8 = 0x0F
    static let replaces: UInt8 = 0x10
    static let promises: UInt8 = 0x20
    static let handover: UInt8 = 0x40
    static let hash: UInt8 = 0x80
}

extension WireWriter {
    fileprivate mutating func write(_ report: ShardReport) {
        writeCount(report.shard.number)
        let flags: [(UInt8, Bool)] = [
            (Flag.replaces, report.replaces != nil), (Flag.promises, !report.promises.isEmpty),
            (Flag.handover, report.isLeaving), (Flag.hash, report.hash != nil),
        ]
        write(flags.reduce(report.phase.rawValue) { $1.1 ? $0 | $1.0 : $0 })
        writeCount(report.offset)
        writeCount(report.lag)
        if let handover = report.handover { write(handover.value) }
        if let replaces = report.replaces { write(replaces) }
        if !report.promises.isEmpty { write(report.promises) { $0.write($1.value) } }
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
        guard let phase = ShardReport.Phase(rawValue: flags & Flag.phase) else {
            throw .invalid(what: "phase", value: "\(flags)")
        }
        let offset = try readCount()
        let lag = try readCount()
        var report = ShardReport(shard, phase, offset: offset, lag: lag)
        if flags & Flag.handover != 0 { report.handover = HandoverID(try read()) }
        if flags & Flag.replaces != 0 { report.replaces = try read() }
        if flags & Flag.promises != 0 {
            report.promises = try readList("promises", max: NodeTable.bytesMax / 4) { reader throws(WireError) in
                HandoverID(try reader.read())
            }
        }
        if flags & Flag.hash != 0 { report.hash = StateHash(offset: try readCount(), hash: try read()) }
        return report
    }
}
