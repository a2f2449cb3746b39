import JSON

/// Appends JSON to a buffer that is kept between uses, so that steady state allocates nothing.
///
/// It writes what it is told, comma by comma; it does not check that the whole is well formed.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package var isEmpty: Bool { bytes.isEmpty }
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// JSON that is right already: punctuation, keys, a record's original bytes.
    package mutating func raw(_ text: StaticString) {
        raw(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    package mutating func raw(_ json: UnsafeRawBufferPointer) { bytes.append(contentsOf: json) }
    package mutating func raw(_ json: [UInt8]) { bytes.append(contentsOf: json) }
    package mutating func raw(_ json: some Collection<UInt8>) { bytes.append(contentsOf: json) }
    package mutating func comma() { bytes.append(UInt8(ascii: ",")) }

    /// A quoted string, escaped as RFC 8259 asks.
    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }
    package mutating func string(_ utf8: UnsafeRawBufferPointer) {
        bytes.append(UInt8(ascii: "\""))
        contents(of: utf8)
        bytes.append(UInt8(ascii: "\""))
    }
    /// A part of a quoted string: escaped, without the quotes.
    package mutating func contents(of text: String) {
        var text = text
        text.withUTF8 { contents(of: UnsafeRawBufferPointer($0)) }
    }
    private mutating func contents(of utf8: UnsafeRawBufferPointer) {
        if utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) { return raw(utf8) }
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "u"), 0x30, 0x30])
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 15))
            default: bytes.append(byte)
            }
        }
    }
    /// `"name":`
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    package mutating func integer(_ value: some FixedWidthInteger) {
        integer(UInt64(value.magnitude), isNegative: value < 0)
    }
    // Generics are not specialised across modules; these are what the hot paths call.
    package mutating func integer(_ value: Int) { integer(UInt64(value.magnitude), isNegative: value < 0) }
    package mutating func integer(_ value: UInt64) { integer(value, isNegative: false) }
    private mutating func integer(_ value: UInt64, isNegative: Bool) {
        write(atMost: DigitWriter.numberMax) { $0.number(value, isNegative: isNegative, places: 0) }
    }
    package mutating func bool(_ value: Bool) { value ? raw("true") : raw("false") }

    /// The shortest decimal that reads back as the same number; `null` for NaN and infinity, which JSON has not.
    package mutating func number(_ value: Double) {
        guard value.isFinite else { return raw("null") }
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return integer(whole) }
        JSONNumber.append(value, to: &bytes)
    }

    /// Rounded half away from zero to `decimals` (0...9) places, trailing zeros dropped.
    package mutating func number(_ value: Double, decimals: Int) { number("", value, decimals: decimals) }
    /// As `number(_:decimals:)`, or `null`.
    package mutating func number(_ value: Double?, decimals: Int) {
        if let value { number("", value, decimals: decimals) } else { raw("null") }
    }
    /// `text`, which is right JSON, and the number: one append, for most of what is written is these.
    package mutating func number(_ text: StaticString, _ value: Double, decimals: Int) {
        precondition((0...9).contains(decimals), "decimals must be in 0...9, not \(decimals)")
        let scaled = value * Double(powersOfTen[decimals])
        guard scaled.magnitude < 9e18 else {
            raw(text)
            return number(value)
        }
        let whole = UInt64(scaled.magnitude)
        let rounded = scaled.magnitude - Double(whole) >= 0.5 ? whole + 1 : whole
        write(atMost: text.utf8CodeUnitCount + DigitWriter.numberMax) {
            $0.text(text)
            $0.number(rounded, isNegative: scaled < 0 && rounded > 0, places: decimals)
        }
    }
    package mutating func number(_ text: StaticString, _ value: Double?, decimals: Int) {
        if let value { return number(text, value, decimals: decimals) }
        raw(text)
        raw("null")
    }

    /// `"2025-09-06T18:40:41.926Z"`, with the quotes.
    package mutating func timestamp(_ time: Timestamp) {
        timestamp(time, microsecond: 0)
    }
    /// As `timestamp`, with six decimals where three would lose something.
    package mutating func preciseTimestamp(_ time: Timestamp) {
        let microsecond = time.microseconds % 1_000
        timestamp(time, microsecond: Int(microsecond < 0 ? microsecond + 1_000 : microsecond))
    }

    private mutating func timestamp(_ time: Timestamp, microsecond: Int) {
        let civil = time.civil
        write(atMost: 32) {
            $0.byte(UInt8(ascii: "\""))
            $0.padded(civil.year, width: 4)
            $0.byte(UInt8(ascii: "-"))
            $0.padded(civil.month, width: 2)
            $0.byte(UInt8(ascii: "-"))
            $0.padded(civil.day, width: 2)
            $0.byte(UInt8(ascii: "T"))
            $0.padded(civil.hour, width: 2)
            $0.byte(UInt8(ascii: ":"))
            $0.padded(civil.minute, width: 2)
            $0.byte(UInt8(ascii: ":"))
            $0.padded(civil.second, width: 2)
            $0.byte(UInt8(ascii: "."))
            $0.padded(civil.millisecond, width: 3)
            if microsecond > 0 { $0.padded(microsecond, width: 3) }
            $0.byte(UInt8(ascii: "Z"))
            $0.byte(UInt8(ascii: "\""))
        }
    }

    /// Makes room once for several small things.
    @inline(__always)
    private mutating func write(atMost count: Int, _ body: (inout DigitWriter) -> Void) {
        bytes.append(addingCapacity: count) { span in
            span.withUnsafeMutableBufferPointer { buffer, initialized in
                var writer = DigitWriter(UnsafeMutableBufferPointer(rebasing: buffer[initialized...]))
                body(&writer)
                initialized += writer.count
            }
        }
    }
}

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
