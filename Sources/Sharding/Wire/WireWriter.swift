/// Writes what goes between nodes: fixed integers little-endian, counts as LEB128, text with its length before it.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    mutating func write<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    /// 7 bits a byte, least first.
    mutating func writeCount(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
    mutating func writeCount(_ value: Int) { writeCount(UInt64(value)) }
    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 {
            writeCount($0.count)
            bytes.append(contentsOf: $0)
        }
    }
    mutating func write(_ node: NodeID) { write(node.name) }
    mutating func write(_ raw: [UInt8]) {
        writeCount(raw.count)
        bytes.append(contentsOf: raw)
    }
    mutating func write(_ raw: ArraySlice<UInt8>) {
        writeCount(raw.count)
        bytes.append(contentsOf: raw)
    }
    mutating func writeRaw(_ raw: [UInt8]) { bytes.append(contentsOf: raw) }
    mutating func write(_ stamp: Stamp) {
        write(stamp.boot)
        writeCount(UInt64(stamp.counter))
    }
    mutating func write(_ address: PeerAddress) {
        if let ipv4 = address.ipv4 {
            write(UInt8(4))
            write(ipv4)
        } else {
            write(UInt8(6))
            write(address.high)
            write(address.low)
        }
        write(address.port)
    }
    mutating func write<Element>(_ list: [Element], _ body: (inout WireWriter, Element) -> Void) {
        writeCount(list.count)
        for element in list { body(&self, element) }
    }
}
