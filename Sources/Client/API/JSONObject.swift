import JSON

/// One JSON object, kept as the bytes that arrived. Fields are looked up when asked for, so that what nobody looks at
/// costs nothing.
///
/// ```swift
/// insight["predicted_loss_per_lap_seconds"]  // Double?
/// insight.string("track")  // String?
/// ```
public struct JSONObject: Sendable, CustomStringConvertible {
    /// It belongs to the frame it came in and keeps all of it in memory.
    private let frame: [UInt8]
    private let range: Range<Int>

    init(_ frame: [UInt8], _ range: Range<Int>) {
        self.frame = frame
        self.range = range
    }

    /// The text as it arrived.
    public var json: String { String(decoding: frame[range], as: UTF8.self) }

    /// The UTF-8 of the text, for a decoder of your own.
    public var bytes: ArraySlice<UInt8> { frame[range] }

    /// A number; `nil` when there is no such field, or it is none.
    public subscript(_ name: String) -> Double? {
        withValue(of: name) { value in
            guard let first = value.first, first == UInt8(ascii: "-") || first.isDigit else { return nil }
            return Double(String(decoding: value, as: UTF8.self))
        }
    }

    /// A whole number; `nil` when there is no such field, or it is none.
    public func integer(_ name: String) -> Int? { self[name].flatMap(Int.init(exactly:)) }

    /// A string; `nil` when there is no such field, or it is none.
    public func string(_ name: String) -> String? {
        withValue(of: name) { value in
            guard value.first == UInt8(ascii: "\"") else { return nil }
            return JSONScanner.unquoted(value)
        }
    }

    /// An object; `nil` when there is no such field, or it is none.
    public func object(_ name: String) -> JSONObject? {
        guard let value = location(of: name), frame[value.lowerBound] == UInt8(ascii: "{") else { return nil }
        return JSONObject(frame, value)
    }

    /// The objects in an array; `nil` when there is no such field, or it is no array.
    public func objects(_ name: String) -> [JSONObject]? {
        guard let value = location(of: name), frame[value.lowerBound] == UInt8(ascii: "[") else { return nil }
        return JSONObject.objects(ofArrayAt: value, in: frame)
    }

    /// The names of its fields, in order.
    public var names: [String] {
        var names: [String] = []
        frame.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes, range)
            while let member = scanner.nextMember() {
                names.append(JSONScanner.unquoted(UnsafeRawBufferPointer(rebasing: bytes[member.name])))
            }
        }
        return names
    }

    public var description: String { json }

    static func objects(ofArrayAt range: Range<Int>, in frame: [UInt8]) -> [JSONObject] {
        var objects: [JSONObject] = []
        frame.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes, range)
            while let element = scanner.nextElement() {
                if bytes[element.lowerBound] == UInt8(ascii: "{") { objects.append(JSONObject(frame, element)) }
            }
        }
        return objects
    }

    private func location(of name: String) -> Range<Int>? {
        var name = name
        return name.withUTF8 { name in
            frame.withUnsafeBytes { JSONScanner.value(of: UnsafeRawBufferPointer(name), in: $0, range) }
        }
    }

    private func withValue<Value>(of name: String, _ body: (UnsafeRawBufferPointer) -> Value?) -> Value? {
        guard let range = location(of: name) else { return nil }
        return frame.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
