import JSON

/// Walks over the members of one JSON object, or the elements of one array, and skips what is inside them.
///
/// It needs right JSON: every byte of a frame was validated when it came. On anything else it ends early, in bounds.
struct JSONScanner {
    private let bytes: UnsafeRawBufferPointer
    private var index: Int
    private let end: Int

    /// - Parameter range: of the object or array, brackets included.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        index = range.lowerBound + 1
        end = max(range.lowerBound + 1, range.upperBound - 1)
    }

    /// The value of the first member of that name.
    static func value(
        of name: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer, _ object: Range<Int>
    ) -> Range<Int>? {
        var scanner = JSONScanner(bytes, object)
        while let member = scanner.nextMember() {
            let text = UnsafeRawBufferPointer(rebasing: bytes[member.name].dropFirst().dropLast())
            if text.elementsEqual(name) { return member.value }
            if text.contains(backslash),
                unquoted(UnsafeRawBufferPointer(rebasing: bytes[member.name])).utf8.elementsEqual(name)
            {
                return member.value
            }
        }
        return nil
    }

    /// The text of a string, which is given with its quotes.
    static func unquoted(_ quoted: UnsafeRawBufferPointer) -> String {
        guard quoted.contains(backslash) else { return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self) }
        do { return try JSONValue.parse(quoted).string ?? "" } catch { return "" }  // Validated before: cannot fail.
    }

    /// A name with its quotes, and its value.
    mutating func nextMember() -> (name: Range<Int>, value: Range<Int>)? {
        skipBlanks()
        guard index < end, bytes[index] == quote else { return nil }
        let name = index
        skipString()
        let nameEnd = index
        skipBlanks()
        guard let value = nextElement() else { return nil }
        return (name..<nameEnd, value)
    }

    mutating func nextElement() -> Range<Int>? {
        skipBlanks()
        guard index < end else { return nil }
        let start = index
        skipValue()
        return start..<index
    }

    private mutating func skipBlanks() {
        while index < end {
            switch bytes[index] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"), UInt8(ascii: ","),
                UInt8(ascii: ":"):
                index += 1
            default: return
            }
        }
    }

    private mutating func skipString() {
        index += 1
        while index < end {
            switch bytes[index] {
            case backslash: index += 2
            case quote:
                index += 1
                return
            default: index += 1
            }
        }
        index = end
    }

    private mutating func skipValue() {
        switch bytes[index] {
        case quote: skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): skipNested()
        default:
            while index < end, !isScalarEnd(bytes[index]) { index += 1 }
        }
    }

    private mutating func skipNested() {
        var depth = 0
        while index < end {
            switch bytes[index] {
            case quote:
                skipString()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            index += 1
            if depth == 0 { return }
        }
    }

    private func isScalarEnd(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: " "), UInt8(ascii: "\n"),
            UInt8(ascii: "\r"), UInt8(ascii: "\t"):
            true
        default: false
        }
    }
}

private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
