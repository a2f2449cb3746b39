import JSON

enum JSONText {
    static func parse(_ bytes: [UInt8]) throws -> JSONValue { try JSONValue.parse(bytes) }
    static func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(text) }
}
