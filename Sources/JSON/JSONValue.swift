/// A JSON value as a tree: convenient, for messages and tests. Records take the tape.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A whole number within 64 bits.
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// Of members with the same name the last counts.
    case object([String: JSONValue])

    /// - Throws: `JSONError` for anything that RFC 8259 does not allow, numbers beyond a `Double`, more than 32 levels.
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONValue {
        let result = try JSONParser().withTape(of: bytes) { tape in JSONValue.read(tape) }
        return try result.get()
    }
    package static func parse(_ bytes: some Sequence<UInt8>) throws(JSONError) -> JSONValue {
        let bytes = Array(bytes)
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { raw in
            do throws(JSONError) { return .success(try parse(raw)) } catch { return .failure(error) }
        }
        return try result.get()
    }
    package static func parse(_ text: String) throws(JSONError) -> JSONValue { try parse(text.utf8) }
}

// MARK: Looking into it

extension JSONValue {
    /// The member of that name, or `nil` when there is none or this is no object.
    package subscript(_ name: String) -> JSONValue? { object?[name] }
    /// The element, or `nil` when there is none or this is no array.
    package subscript(_ index: Int) -> JSONValue? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }

    package var isNull: Bool { self == .null }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }
    /// A whole number, however it was written: `3` or `3.0`.
    package var int: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

// MARK: From the tape

extension JSONValue {
    private static func read(_ tape: JSONTape) -> Result<JSONValue, JSONError> {
        if tape.invalidCount > 0 {
            return .failure(JSONError(.invalidValue, at: tape.firstInvalid(from: 0, to: tape.count)?.start ?? 0))
        }
        var index = 0
        return .success(read(tape, &index))
    }

    private static func read(_ tape: JSONTape, _ index: inout Int) -> JSONValue {
        let token = tape[index]
        index += 1
        switch token.kind {
        case .object: return .object(readMembers(tape, &index, count: token.count))
        case .array:
            var elements: [JSONValue] = []
            elements.reserveCapacity(token.count)
            for _ in 0..<token.count { elements.append(read(tape, &index)) }
            return .array(elements)
        case .key, .string: return .string(tape.string(of: token))
        case .integer: return .integer(token.integer)
        case .number: return .number(token.number ?? 0)
        case .true: return .bool(true)
        case .false: return .bool(false)
        case .null, .invalid: return .null
        }
    }

    private static func readMembers(_ tape: JSONTape, _ index: inout Int, count: Int) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        members.reserveCapacity(count)
        for _ in 0..<count {
            let name = tape.string(of: tape[index])
            index += 1
            members[name] = read(tape, &index)
        }
        return members
    }
}

extension JSONTape {
    /// The text of a key or string.
    package func string(of token: JSONToken) -> String { String(decoding: text(of: token), as: UTF8.self) }

    /// The first token between two indexes that is no JSON value.
    package func firstInvalid(from start: Int, to end: Int) -> JSONToken? {
        (start..<end).lazy.map { self[$0] }.first { $0.isInvalid(in: self) }
    }
}

extension JSONToken {
    /// A scalar that is no JSON value, or a key with a broken escape.
    package func isInvalid(in tape: JSONTape) -> Bool {
        guard kind == .key else { return kind == .invalid }
        // The parser leaves the text of a broken key as it was written; a sound escape is shorter than it was.
        let text = tape.text(of: self)
        return text.count == end - start - 2 && text.contains(UInt8(ascii: "\\"))
    }
}
