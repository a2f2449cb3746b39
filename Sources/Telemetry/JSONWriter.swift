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
        decimal(UInt64(value.magnitude), isNegative: value < 0, places: 0)
    }
    // Generics are not specialised across modules; these are what the hot paths call.
    package mutating func integer(_ value: Int) {
        decimal(UInt64(value.magnitude), isNegative: value < 0, places: 0)
    }
    package mutating func integer(_ value: UInt64) { decimal(value, isNegative: false, places: 0) }
    package mutating func bool(_ value: Bool) { value ? raw("true") : raw("false") }

    /// The shortest decimal that reads back as the same number; `null` for NaN and infinity, which JSON has not.
    package mutating func number(_ value: Double) {
        guard value.isFinite else { return raw("null") }
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return integer(whole) }
        JSONNumber.append(value, to: &bytes)
    }

    /// Rounded half away from zero to `decimals` (0...9) places, trailing zeros dropped.
    package mutating func number(_ value: Double, decimals: Int) {
        precondition((0...9).contains(decimals), "decimals must be in 0...9, not \(decimals)")
        let scale = powersOfTen[decimals]
        let scaled = (value * Double(scale)).rounded(.toNearestOrAwayFromZero)
        guard value.isFinite, scaled.magnitude < 9e18 else { return number(value) }
        decimal(UInt64(scaled.magnitude), isNegative: scaled < 0, places: decimals)
    }
    /// As `number(_:decimals:)`, or `null`.
    package mutating func number(_ value: Double?, decimals: Int) {
        if let value { number(value, decimals: decimals) } else { raw("null") }
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
        bytes.append(UInt8(ascii: "\""))
        padded(civil.year, width: 4)
        bytes.append(UInt8(ascii: "-"))
        padded(civil.month, width: 2)
        bytes.append(UInt8(ascii: "-"))
        padded(civil.day, width: 2)
        bytes.append(UInt8(ascii: "T"))
        padded(civil.hour, width: 2)
        bytes.append(UInt8(ascii: ":"))
        padded(civil.minute, width: 2)
        bytes.append(UInt8(ascii: ":"))
        padded(civil.second, width: 2)
        bytes.append(UInt8(ascii: "."))
        padded(civil.millisecond, width: 3)
        if microsecond > 0 { padded(microsecond, width: 3) }
        bytes.append(UInt8(ascii: "Z"))
        bytes.append(UInt8(ascii: "\""))
    }

    /// `value` / 10^`places`, trailing zeros of the fraction dropped. One append: most of what is written is numbers.
    private mutating func decimal(_ value: UInt64, isNegative: Bool, places: Int) {
        var rest = value
        var places = places
        while places > 0, rest % 10 == 0 {
            rest /= 10
            places -= 1
        }
        var digits = max(1, places + 1)
        while digits < powersOfTen.count, rest >= powersOfTen[digits] { digits += 1 }
        let count = digits + (places > 0 ? 1 : 0) + (isNegative ? 1 : 0)
        bytes.append(addingCapacity: count) { span in
            span.withUnsafeMutableBufferPointer { buffer, initialized in
                var index = initialized + count
                for digit in 0..<digits {
                    if digit == places, places > 0 {
                        index -= 1
                        buffer[index] = UInt8(ascii: ".")
                    }
                    index -= 1
                    buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                if isNegative { buffer[index - 1] = UInt8(ascii: "-") }
                initialized += count
            }
        }
    }
    private mutating func padded(_ value: Int, width: Int) {
        var rest = max(0, value)
        bytes.append(addingCapacity: width) { span in
            span.withUnsafeMutableBufferPointer { buffer, initialized in
                for index in (initialized..<initialized + width).reversed() {
                    buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                initialized += width
            }
        }
    }
}

/// 10^0 … 10^19, all that a `UInt64` holds.
private let powersOfTen: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}
