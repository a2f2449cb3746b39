/// Splits one line of CSV into fields, in memory that is kept between lines.
struct LineSplitter {
    enum Outcome {
        case fields
        case blank
        case refused(Refusal)
    }

    private var fields: [UnsafeRawBufferPointer] = []
    /// Fields whose doubled quotes were undone. A line that needs more replaces it before anything points into it.
    private var unquoted = StableBytes(capacity: 1_024)

    var count: Int { fields.count }
    /// Valid until the next line is split.
    subscript(index: Int) -> UnsafeRawBufferPointer { fields[index] }

    /// - Parameter line: without its line feed; a carriage return at its end is dropped, as are blanks around fields.
    mutating func split(_ line: UnsafeRawBufferPointer) -> Outcome {
        fields.removeAll(keepingCapacity: true)
        unquoted.removeAll()
        let line = line.last == UInt8(ascii: "\r") ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
        var start = 0
        var index = 0
        var union: UInt8 = 0
        while index < line.count {
            let byte = line[index]
            union |= byte
            if byte == comma {
                fields.append(trimmed(line, start, index))
                start = index + 1
            } else if byte == quote, trimmed(line, start, index).isEmpty {
                return splitQuoted(line)
            }
            index += 1
        }
        return finish(line, start, union)
    }

    private mutating func finish(_ line: UnsafeRawBufferPointer, _ start: Int, _ union: UInt8) -> Outcome {
        fields.append(trimmed(line, start, line.count))
        if fields.count == 1, fields[0].isEmpty { return .blank }
        if union >= 0x80, String(validating: line, as: UTF8.self) == nil {
            return .refused(Refusal(.notText, field: "line", value: shown(line), allowed: "UTF-8"))
        }
        return .fields
    }

    private mutating func splitQuoted(_ line: UnsafeRawBufferPointer) -> Outcome {
        fields.removeAll(keepingCapacity: true)
        if unquoted.capacity < line.count { unquoted = StableBytes(capacity: line.count * 2) }
        var index = 0
        while true {
            while index < line.count, isBlank(line[index]) { index += 1 }
            if index < line.count, line[index] == quote {
                guard let end = takeQuoted(line, from: index + 1) else { return refusal(of: line) }
                index = end
                while index < line.count, isBlank(line[index]) { index += 1 }
                guard index == line.count || line[index] == comma else { return refusal(of: line) }
            } else {
                let start = index
                while index < line.count, line[index] != comma { index += 1 }
                if index == line.count { return finish(line, start, 0x80) }
                fields.append(trimmed(line, start, index))
            }
            if index == line.count { break }
            index += 1
        }
        if String(validating: line, as: UTF8.self) == nil { return refusal(of: line) }
        return .fields
    }

    /// - Returns: the index behind the closing quote; `nil` when there is none.
    private mutating func takeQuoted(_ line: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let first = unquoted.count
        var index = start
        while index < line.count {
            if line[index] == quote {
                guard index + 1 < line.count, line[index + 1] == quote else {
                    fields.append(unquoted.slice(from: first))
                    return index + 1
                }
                index += 1
            }
            unquoted.append(line[index])
            index += 1
        }
        return nil
    }

    private func refusal(of line: UnsafeRawBufferPointer) -> Outcome {
        .refused(
            Refusal(
                .notText, field: "line", value: shown(line),
                allowed: "UTF-8 with each quoted field closed before the line ends"))
    }

    private func trimmed(_ line: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        var start = start
        var end = end
        while start < end, isBlank(line[start]) { start += 1 }
        while start < end, isBlank(line[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: line[start..<end])
    }
}

private let comma = UInt8(ascii: ",")
private let quote = UInt8(ascii: "\"")

private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
