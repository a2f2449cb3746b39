/// Reads what `WireWriter` wrote. Whatever it is given, it throws and never traps, and it never sets aside more memory
/// than the bytes at hand could fill.
struct WireReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }
    init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    var remaining: Int { bytes.endIndex - index }

    func finish() throws(WireError) {
        if remaining > 0 { throw .trailing(remaining) }
    }

    mutating func read<Integer: FixedWidthInteger>(as type: Integer.Type = Integer.self) throws(WireError) -> Integer {
        let raw = try readRaw(MemoryLayout<Integer>.size)
        var value: Integer = 0
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: raw) }
        return Integer(littleEndian: value)
    }
    mutating func readCount() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            let byte: UInt8 = try read()
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw .invalid(what: "count", value: "more than 64 bits")
    }
    mutating func readCount(_ what: String, in range: ClosedRange<Int>) throws(WireError) -> Int {
        let value = try readCount()
        guard let count = Int(exactly: value), range.contains(count) else {
            throw .invalid(what: what, value: "\(value)")
        }
        return count
    }
    mutating func readBytes(_ what: String, max: Int) throws(WireError) -> ArraySlice<UInt8> {
        try readRaw(try readCount(what, in: 0...max))
    }
    mutating func readText(_ what: String, max: Int) throws(WireError) -> String {
        let raw = try readBytes(what, max: max)
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw .invalid(what: what, value: "\(raw.count) bytes that are not UTF-8")
        }
        return text
    }
    mutating func readNode() throws(WireError) -> NodeID {
        let name = try readBytes("node id", max: NodeID.bytesMax)
        guard let node = NodeID(name) else {
            throw .invalid(what: "node id", value: String(decoding: name, as: UTF8.self))
        }
        return node
    }
    mutating func readStamp() throws(WireError) -> Stamp {
        let boot: UInt64 = try read()
        return Stamp(boot: boot, counter: UInt32(try readCount("stamp", in: 0...Int(UInt32.max))))
    }
    mutating func readAddress() throws(WireError) -> PeerAddress {
        let family: UInt8 = try read()
        switch family {
        case 4: return PeerAddress(ipv4: try read(), port: try read())
        case 6: return PeerAddress(high: try read(), low: try read(), port: try read())
        default: throw .invalid(what: "address family", value: "\(family)")
        }
    }
    mutating func readList<Element>(
        _ what: String, max: Int, _ body: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = try readCount(what, in: 0...max)
        var list: [Element] = []
        list.reserveCapacity(Swift.min(count, remaining))
        for _ in 0..<count { list.append(try body(&self)) }
        return list
    }
    mutating func readRaw(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard count <= remaining else { throw .truncated(needed: count, left: remaining) }
        defer { index += count }
        return bytes[index..<index + count]
    }
}
