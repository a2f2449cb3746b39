/// Writes digits and short texts into room that was made for them. Who makes it too small is stopped.
struct DigitWriter {
    /// Bytes of the longest number: a sign, twenty digits, a point and a zero before it.
    static let numberMax = 24

    private let room: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(_ room: UnsafeMutableBufferPointer<UInt8>) { self.room = room }

    @inline(__always)
    mutating func byte(_ byte: UInt8) {
        precondition(count < room.count, "no room for another byte")
        room[count] = byte
        count += 1
    }

    @inline(__always)
    mutating func text(_ text: StaticString) {
        precondition(room.count - count >= text.utf8CodeUnitCount, "no room for '\(text)'")
        guard text.utf8CodeUnitCount > 0, let start = room.baseAddress else { return }
        (start + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    /// With zeros in front.
    @inline(__always)
    mutating func padded(_ value: Int, width: Int) { digits(UInt64(max(0, value)), width) }

    /// `value` / 10^`places`, trailing zeros of the fraction dropped.
    mutating func number(_ value: UInt64, isNegative: Bool, places: Int) {
        if isNegative { byte(UInt8(ascii: "-")) }
        let scale = powersOfTen[places]
        let whole = places == 0 ? value : value / scale
        digits(whole, DigitWriter.width(of: whole))
        let fraction = value - whole * scale
        guard fraction != 0 else { return }
        byte(UInt8(ascii: "."))
        digits(fraction, places)
        while room[count - 1] == UInt8(ascii: "0") { count -= 1 }
    }

    @inline(__always)
    private mutating func digits(_ value: UInt64, _ width: Int) {
        precondition(room.count - count >= width, "no room for \(width) digits")
        var rest = value
        for index in (count..<count + width).reversed() {
            room[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += width
    }

    @inline(__always)
    private static func width(of value: UInt64) -> Int {
        var width = 1
        while width < powersOfTen.count, value >= powersOfTen[width] { width += 1 }
        return width
    }
}

/// 10^0 … 10^19, all that a `UInt64` holds.
let powersOfTen: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]
