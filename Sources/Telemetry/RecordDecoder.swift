import JSON

/// Decodes telemetry records, one body after the other, in memory that is kept between them: no allocation per record
/// in steady state.
///
/// Not `Sendable`: a decoder belongs to one user at a time. Do not use it inside its own closures.
package final class RecordDecoder {
    private let parser = JSONParser()
    private let table = FieldTable()
    /// Empty between uses; kept for the memory of its extras.
    private var spare = RecordFields()

    package init() {}

    /// Decodes one JSON object or an array of them. Elements are independent: a bad one is refused by its index and
    /// the others are accepted.
    ///
    /// - Parameter record: called for each record in order, with its index in the array (0 for an object).
    /// - Parameter refused: called for each element that is no record, in the same order.
    /// - Throws: `.notJSON` when the whole is not JSON; then neither closure was called.
    package func decodeJSON(
        _ bytes: UnsafeRawBufferPointer,
        record: (_ index: Int, borrowing Record) -> Void,
        refused: (_ index: Int, Refusal) -> Void
    ) throws(Refusal) {
        do throws(JSONError) {
            let isJSON = try parser.withTape(of: bytes) { tape in
                guard tape[0].kind != .invalid else { return false }
                decode(tape, record: record, refused: refused)
                return true
            }
            if !isJSON { throw JSONError(.invalidValue, at: 0) }
        } catch {
            throw RecordDecoder.refusal(for: error, bytes)
        }
    }

    private func decode(
        _ tape: JSONTape,
        record: (_ index: Int, borrowing Record) -> Void,
        refused: (_ index: Int, Refusal) -> Void
    ) {
        var fields = RecordFields()
        swap(&fields, &spare)
        defer {
            fields.removeAll()
            swap(&fields, &spare)
        }
        let isArray = tape[0].kind == .array
        var token = isArray ? 1 : 0
        var index = 0
        while token < tape.count {
            if let refusal = decodeElement(tape, at: token, into: &fields) {
                refused(index, refusal)
            } else {
                record(index, fields.record)
            }
            token = tape.index(after: token)
            index += 1
        }
    }

    private func decodeElement(_ tape: JSONTape, at index: Int, into fields: inout RecordFields) -> Refusal? {
        let element = tape[index]
        fields.removeAll()
        if tape.invalidCount > 0, let refusal = refusalOfInvalid(tape, at: index) { return refusal }
        guard element.kind == .object else {
            return Refusal(
                .notAnObject, field: "record", value: shown(tape.original(of: element)), allowed: "a JSON object")
        }
        guard element.end - element.start <= Limits.recordBytes else {
            return Refusals.tooLarge(element.end - element.start)
        }
        collect(tape, membersOf: index, into: &fields)
        fields.record.original = tape.original(of: element)
        return switch fields.finish(table) {
        case nil: nil
        case .refusal(let refusal): refusal
        case .wrong(let field): refusal(of: field, tape, at: index)
        }
    }

    private func collect(_ tape: JSONTape, membersOf object: Int, into fields: inout RecordFields) {
        // Through pointers: what reads the tape is inlined here that way.
        let tokens = tape.tokens
        let texts = tape.texts
        let end = tokens[object].index(after: object)
        var index = object + 1
        while index < end {
            let name = tokens[index].text(in: texts)
            let value = tokens[index + 1]
            let field = table.field(name)
            switch value.kind {
            case .number: fields.set(field, name: name, to: value.double)
            case .integer: setInteger(tape, value, field, name, &fields)
            case .null: fields.clear(field, name: name)
            case .string: setText(value.text(in: texts), field, name, &fields)
            default: setOther(field, name, &fields)
            }
            index = value.index(after: index + 1)
        }
    }

    @inline(__always)
    private func setInteger(
        _ tape: JSONTape, _ value: JSONToken, _ field: Field, _ name: UnsafeRawBufferPointer,
        _ fields: inout RecordFields
    ) {
        if field == .outing {
            fields.set(.outing, to: tape.original(of: value))
        } else {
            fields.set(field, name: name, to: Double(value.integer))
        }
    }

    @inline(__always)
    private func setText(
        _ text: UnsafeRawBufferPointer, _ field: Field, _ name: UnsafeRawBufferPointer, _ fields: inout RecordFields
    ) {
        switch field {
        case .other: fields.clear(field, name: name)
        case .telemetryValue:
            if let number = JSONNumber.parse(text) {
                fields.set(field, name: name, to: number)
            } else {
                fields.note(wrong: field)
            }
        default: fields.set(field, to: text)
        }
    }

    /// `true`, `false`, objects and arrays: never right for a field we know, none of our business elsewhere.
    private func setOther(_ field: Field, _ name: UnsafeRawBufferPointer, _ fields: inout RecordFields) {
        switch field {
        case .other, .session, .outing: fields.clear(field, name: name)
        default: fields.note(wrong: field)
        }
    }
}

// MARK: What was wrong

extension RecordDecoder {
    private func refusal(of field: Field, _ tape: JSONTape, at object: Int) -> Refusal {
        var refusal = Refusals.wrong(field, named: "record", text: tape.original(of: tape[object]))
        forEachMember(tape, of: object) { name, value in
            guard table.field(name) == field else { return }
            let token = tape[value]
            let isText = token.kind == .string && field != .lap
            let text = isText ? tape.text(of: token) : tape.original(of: token)
            refusal = Refusals.wrong(field, named: shown(name), text: text)
        }
        return refusal
    }

    /// The field that holds a scalar which is no JSON value. The record's bytes are passed on, so that even a field we
    /// do not use must be right.
    private func refusalOfInvalid(_ tape: JSONTape, at index: Int) -> Refusal? {
        guard let bad = tape.firstInvalid(from: index, to: tape.index(after: index)) else { return nil }
        var field = "record"
        if tape[index].kind == .object {
            forEachMember(tape, of: index) { name, value in
                if tape[value].start <= bad.start, bad.start < tape[value].end { field = shown(name) }
            }
        }
        return Refusals.invalid(named: field, text: tape.original(of: bad))
    }

    private func forEachMember(_ tape: JSONTape, of object: Int, _ body: (UnsafeRawBufferPointer, Int) -> Void) {
        let end = tape.index(after: object)
        var index = object + 1
        while index < end {
            body(tape.text(of: tape[index]), index + 1)
            index = tape.index(after: index + 1)
        }
    }

    private static func refusal(for error: JSONError, _ bytes: UnsafeRawBufferPointer) -> Refusal {
        let excerpt = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(error.position).prefix(40))
        let value = excerpt.isEmpty ? "\(bytes.count) bytes" : shown(excerpt)
        return Refusal(
            .notJSON, field: "body", value: value, allowed: "JSON: at byte \(error.position) \(error.reason.rawValue)")
    }
}
