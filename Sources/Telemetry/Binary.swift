/// Why bytes could not be read back.
package enum BinaryError: Error, Equatable, CustomStringConvertible {
    case truncated(needed: Int, left: Int)
    case invalid(what: String, value: String)

    package var description: String {
        switch self {
        case .truncated(let needed, let left): "\(needed) bytes needed, \(left) left"
        case .invalid(let what, let value): "\(what) has the impossible value \(value)"
        }
    }
}

/// Writes values little-endian, one after the other. Equal values give equal bytes on every machine, so state is
/// hashed over what this writes.
package struct BinaryWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package mutating func write(_ value: some FixedWidthInteger) { append(value) }
    // Generics are not specialised across modules; these are what states are made of.
    package mutating func write(_ value: UInt8) { bytes.append(value) }
    package mutating func write(_ value: UInt32) { append(value) }
    package mutating func write(_ value: UInt64) { append(value) }
    package mutating func write(_ value: Int64) { append(value) }
    private mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    /// The bit pattern, with −0 written as 0.
    package mutating func write(_ value: Double) { write((value == 0 ? 0 : value).bitPattern) }
    package mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

    /// A count, then the bytes.
    package mutating func write(_ value: [UInt8]) {
        write(UInt32(value.count))
        bytes.append(contentsOf: value)
    }
    package mutating func write(_ value: String) {
        var value = value
        value.withUTF8 {
            write(UInt32($0.count))
            bytes.append(contentsOf: $0)
        }
    }
    package mutating func write(_ value: Timestamp) { write(value.microseconds) }

    /// Presence, then the value.
    package mutating func write<Value>(_ value: Value?, _ body: (inout BinaryWriter, Value) -> Void) {
        write(value != nil)
        if let value { body(&self, value) }
    }
    package mutating func write(_ value: Double?) {
        write(value != nil)
        if let value { write(value) }
    }
    package mutating func write(_ value: Int64?) {
        write(value != nil)
        if let value { write(value) }
    }
    package mutating func writeRaw(_ raw: some Collection<UInt8>) { bytes.append(contentsOf: raw) }
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}

/// Reads what `BinaryWriter` wrote. Never traps on what it is given.
package struct BinaryReader {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }
    package init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    package var remaining: Int { bytes.endIndex - index }

    package mutating func read<Integer: FixedWidthInteger>(as type: Integer.Type = Integer.self) throws(BinaryError)
        -> Integer
    {
        let raw = try readRaw(MemoryLayout<Integer>.size)
        var value: Integer = 0
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: raw) }
        return Integer(littleEndian: value)
    }
    package mutating func readDouble() throws(BinaryError) -> Double { Double(bitPattern: try read()) }
    package mutating func readTimestamp() throws(BinaryError) -> Timestamp { Timestamp(microseconds: try read()) }
    package mutating func readBool() throws(BinaryError) -> Bool {
        let byte: UInt8 = try read()
        guard byte < 2 else { throw .invalid(what: "flag", value: "\(byte)") }
        return byte == 1
    }
    package mutating func readBytes() throws(BinaryError) -> ArraySlice<UInt8> {
        let count: UInt32 = try read()
        return try readRaw(Int(count))
    }
    package mutating func readString() throws(BinaryError) -> String {
        let raw = try readBytes()
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw .invalid(what: "text", value: "\(raw.count) bytes that are not UTF-8")
        }
        return text
    }
    package mutating func readOptional<Value>(
        _ body: (inout BinaryReader) throws(BinaryError) -> Value
    ) throws(BinaryError) -> Value? {
        try readBool() ? try body(&self) : nil
    }
    package mutating func readRaw(_ count: Int) throws(BinaryError) -> ArraySlice<UInt8> {
        guard count <= remaining else { throw .truncated(needed: count, left: remaining) }
        defer { index += count }
        return bytes[index..<index + count]
    }
}
