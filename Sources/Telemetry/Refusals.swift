import JSON

/// The refusals that several decoders share.
enum Refusals {
    static let tooManyExtras = Refusal(
        .tooLarge, field: "record", value: "more than \(Limits.extraChannels) channels",
        allowed: "of at most \(Limits.extraChannels) channels outside the catalogue")

    static func tooLarge(_ count: Int) -> Refusal {
        Refusal(.tooLarge, field: "record", value: "\(count) bytes", allowed: "at most \(Limits.recordBytes) bytes")
    }

    static func noChassis(_ field: String) -> Refusal {
        Refusal(.missing, field: field, value: "", allowed: "a text such as GR86-006-7")
    }

    /// Ids and names are short and printable: they become keys, paths and metrics.
    static func badText(_ text: UnsafeRawBufferPointer, field: String) -> Refusal? {
        if text.count > Limits.idBytes {
            return Refusal(.tooLarge, field: field, value: shown(text), allowed: "at most \(Limits.idBytes) bytes")
        }
        if hasControlCharacter(text) {
            return Refusal(.outOfRange, field: field, value: shown(text), allowed: "without control characters")
        }
        return nil
    }

    /// - Parameter text: the value as it was sent.
    static func wrong(_ field: Field, named name: String, text: UnsafeRawBufferPointer) -> Refusal {
        switch field {
        case .lap where JSONNumber.parse(text) != nil:
            Refusal(.outOfRange, field: name, value: shown(text), allowed: "a whole number from 0 to 32768")
        case .metaTime, .timestamp:
            Refusal(
                .badTime, field: name, value: shown(text),
                allowed: "an ISO 8601 time from 2000 to 2100, such as 2025-09-06T18:40:41.926Z")
        case .chassis, .vehicleID, .track, .metaEvent, .telemetryName:
            Refusal(.notText, field: name, value: shown(text), allowed: "a text")
        default: notANumber(named: name, text: text)
        }
    }

    static func notANumber(named name: String, text: UnsafeRawBufferPointer) -> Refusal {
        Refusal(
            isNotFinite(text) ? .notFinite : .notANumber, field: name, value: shown(text), allowed: "a finite number")
    }

    /// A scalar that is no JSON value.
    static func invalid(named name: String, text: UnsafeRawBufferPointer) -> Refusal {
        guard isNotFinite(text) else {
            return Refusal(.notJSON, field: name, value: shown(text), allowed: "a JSON value")
        }
        return Refusal(.notFinite, field: name, value: shown(text), allowed: "a finite number")
    }
}

/// NaN or infinity in any spelling, or a number beyond a `Double`.
func isNotFinite(_ text: UnsafeRawBufferPointer) -> Bool {
    var rest = UnsafeRawBufferPointer(rebasing: text[...])
    if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
    }
    let lower = rest.prefix(9).map { $0 | 0x20 }
    if ["nan", "inf", "infinity"].contains(where: { lower.elementsEqual($0.utf8) }) { return true }
    guard let first = rest.first, first >= UInt8(ascii: "1"), first <= UInt8(ascii: "9") else { return false }
    return rest.contains { $0 | 0x20 == UInt8(ascii: "e") } && JSONNumber.parse(text) == nil
        && rest.allSatisfy { isPartOfNumber($0) }
}

private func isPartOfNumber(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || ".eE+-".utf8.contains(byte)
}

/// A value for people, its beginning.
func shown(_ text: UnsafeRawBufferPointer) -> String {
    String(decoding: text.prefix(80), as: UTF8.self)
}

/// Eight bytes at a time; the last eight may be looked at twice.
private func hasControlCharacter(_ text: UnsafeRawBufferPointer) -> Bool {
    let count = text.count
    guard count >= 8 else { return text.contains { $0 < 0x20 || $0 == 0x7F } }
    var index = 0
    while index < count {
        let word = text.loadUnaligned(fromByteOffset: min(index, count - 8), as: UInt64.self)
        // Bytes below 0x20 borrow, unless their top bit is set; 0x7F becomes 0 and borrows alike.
        let below = (word &- 0x2020_2020_2020_2020) & ~word
        let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
        let isDelete = (delete &- 0x0101_0101_0101_0101) & ~delete
        if (below | isDelete) & 0x8080_8080_8080_8080 != 0 { return true }
        index += 8
    }
    return false
}
