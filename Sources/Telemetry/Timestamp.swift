/// An instant in microseconds since 1970-01-01T00:00:00Z.
///
/// The core never asks a clock: every timestamp comes out of a record or is handed in by the shell.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }
    package init(milliseconds: Int64) { microseconds = milliseconds * 1_000 }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// Seconds from `earlier` to here; negative when `earlier` is later.
    package func seconds(since earlier: Timestamp) -> Double {
        Double(microseconds &- earlier.microseconds) / 1_000_000
    }

    /// Records outside these years are refused: a clock that was never set, or a unit mistaken for another.
    package static let earliest = Timestamp(microseconds: 946_684_800_000_000)  // 2000-01-01
    package static let latest = Timestamp(microseconds: 4_102_444_800_000_000)  // 2100-01-01
}

// MARK: ISO 8601

extension Timestamp {
    /// Reads `2025-09-06T18:40:41.926Z`: date, `T` or a blank, time, up to nine decimals (those past microseconds are
    /// dropped), then `Z`, an offset such as `+02:00` or `+0200`, or nothing, which is read as UTC.
    ///
    /// - Returns: `nil` when the text is anything else, or names a day or time that does not exist.
    /// - Note: No allocation; this runs for every record.
    package init?(iso8601 text: UnsafeRawBufferPointer) {
        guard text.count >= 19,
            text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            text[10] == UInt8(ascii: "T") || text[10] == UInt8(ascii: " ") || text[10] == UInt8(ascii: "t"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let century = twoDigits(text, 0), let yearOfCentury = twoDigits(text, 2),
            let month = twoDigits(text, 5), let day = twoDigits(text, 8),
            let hour = twoDigits(text, 11), let minute = twoDigits(text, 14), let second = twoDigits(text, 17),
            (1...12).contains(month), day >= 1, hour < 24, minute < 60, second < 60
        else { return nil }
        let year = century * 100 + yearOfCentury
        guard day <= daysIn(month: month, of: year) else { return nil }

        var index = 19
        var fraction: Int64 = 0
        if index < text.count, text[index] == UInt8(ascii: ".") {
            index += 1
            var scale: Int64 = 100_000
            let first = index
            while index < text.count, let digit = digit(text[index]), index - first < 9 {
                fraction += Int64(digit) * scale
                scale /= 10
                index += 1
            }
            guard index > first else { return nil }
        }
        guard let offset = Timestamp.offsetSeconds(text, from: index) else { return nil }
        let days = Int64(daysSinceEpoch(year: year, month: month, day: day))
        let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - Int64(offset)
        microseconds = seconds * 1_000_000 + fraction
    }

    package init?(iso8601 text: String) {
        var text = text
        guard let parsed = text.withUTF8({ Timestamp(iso8601: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    private static func offsetSeconds(_ text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < text.count else { return 0 }
        if text[start] == UInt8(ascii: "Z") || text[start] == UInt8(ascii: "z") {
            return start + 1 == text.count ? 0 : nil
        }
        let sign: Int
        switch text[start] {
        case UInt8(ascii: "+"): sign = 1
        case UInt8(ascii: "-"): sign = -1
        default: return nil
        }
        guard let hours = twoDigits(text, start + 1), hours < 24 else { return nil }
        if start + 3 == text.count { return sign * hours * 3_600 }
        let minuteIndex = text[start + 3] == UInt8(ascii: ":") ? start + 4 : start + 3
        guard let minutes = twoDigits(text, minuteIndex), minutes < 60, minuteIndex + 2 == text.count else {
            return nil
        }
        return sign * (hours * 3_600 + minutes * 60)
    }

    /// `2025-09-06T18:40:41.926Z`, always with milliseconds, as JavaScript's `toISOString` writes it.
    package var iso8601: String {
        var writer = JSONWriter()
        writer.timestamp(self)
        return String(decoding: writer.bytes.dropFirst().dropLast(), as: UTF8.self)
    }

    /// Year, month, day, hour, minute, second, millisecond in UTC.
    var civil: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, millisecond: Int) {
        let milliseconds = Int(microseconds.dividedFloor(by: 1_000))
        let days = Int64(milliseconds).dividedFloor(by: 86_400_000)
        let ofDay = milliseconds - Int(days) * 86_400_000
        // Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1,
            ofDay / 3_600_000, ofDay / 60_000 % 60, ofDay / 1_000 % 60, ofDay % 1_000
        )
    }
}

@inline(__always)
private func digit(_ byte: UInt8) -> Int? {
    let value = byte &- UInt8(ascii: "0")
    return value < 10 ? Int(value) : nil
}

@inline(__always)
private func twoDigits(_ text: UnsafeRawBufferPointer, _ index: Int) -> Int? {
    guard index + 1 < text.count, let tens = digit(text[index]), let ones = digit(text[index + 1]) else { return nil }
    return tens * 10 + ones
}

private func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

@inline(__always)
private func daysIn(month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
@inline(__always)
private func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
    let marchYear = month <= 2 ? year - 1 : year
    let era = marchYear / 400
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

extension Int64 {
    fileprivate func dividedFloor(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
