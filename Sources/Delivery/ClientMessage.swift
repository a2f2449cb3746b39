import JSON
import Telemetry

/// What a client may say on `/v1/stream`.
package enum ClientMessage {
    case subscribe(SubscribeRequest)
    case unsubscribe(id: String)
    /// `records`: where the JSON array stands in the message.
    case publish(source: String, sequence: UInt64, records: Range<Int>)
    case ping

    /// What is wrong with a message. The connection is closed with 4000 and this text.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// - Throws: `Violation` naming the field, its value and what is allowed.
    package init(_ bytes: UnsafeRawBufferPointer, parser: JSONParser) throws(Violation) {
        let result: Result<ClientMessage, Violation>
        do throws(JSONError) {
            result = try parser.withTape(of: bytes) { tape in
                Result { () throws(Violation) in try ClientMessage(tape, bytes) }
            }
        } catch { throw Violation("the message is not JSON: \(error)") }
        self = try result.get()
    }

    private init(_ tape: JSONTape, _ bytes: UnsafeRawBufferPointer) throws(Violation) {
        guard tape[0].kind == .object else { throw Violation("a message must be an object") }
        let fields = Fields(tape)
        switch fields.string("type") {
        case "publish":
            guard let source = fields.string("source"), (1...128).contains(source.utf8.count) else {
                throw Violation("source must be a string of 1…128 bytes")
            }
            guard let sequence = fields.integer("source_seq"), sequence > 0 else {
                throw Violation("source_seq must be a whole number from 1")
            }
            guard let records = fields.range("records", .array) else {
                throw Violation("records must be an array of telemetry records")
            }
            self = .publish(source: source, sequence: UInt64(sequence), records: records)
        case "subscribe":
            let json: JSONValue
            do throws(JSONError) { json = try JSONValue.parse(bytes) } catch {
                throw Violation("the message is not JSON: \(error)")
            }
            self = .subscribe(try SubscribeRequest(json))
        case "unsubscribe":
            guard let id = fields.string("id") else { throw Violation("id must be the string you subscribed with") }
            self = .unsubscribe(id: id)
        case "ping": self = .ping
        case let other:
            throw Violation(
                "type is \(other ?? "missing"); it must be subscribe, unsubscribe, publish or ping")
        }
    }
}

/// The members of a message's object, looked up without making a tree of a large one.
private struct Fields {
    private let tape: JSONTape
    init(_ tape: JSONTape) { self.tape = tape }

    func string(_ name: String) -> String? {
        find(name).flatMap { tape[$0].kind == .string ? tape.string(of: tape[$0]) : nil }
    }
    func integer(_ name: String) -> Int64? {
        find(name).flatMap { tape[$0].kind == .integer ? tape[$0].integer : nil }
    }
    func range(_ name: String, _ kind: JSONToken.Kind) -> Range<Int>? {
        find(name).flatMap { tape[$0].kind == kind ? tape[$0].start..<tape[$0].end : nil }
    }

    /// The index of the member's value.
    private func find(_ name: String) -> Int? {
        var index = 1
        for _ in 0..<tape[0].count {
            if tape.text(of: tape[index]).elementsEqual(name.utf8) { return index + 1 }
            index = tape.index(after: index + 1)
        }
        return nil
    }
}

extension SubscribeRequest {
    fileprivate init(_ json: JSONValue) throws(ClientMessage.Violation) {
        guard let id = json["id"]?.string, (1...128).contains(id.utf8.count) else {
            throw .init("id must be a string of 1…128 bytes")
        }
        guard let names = json["streams"]?.array, !names.isEmpty, names.count <= 1_024 else {
            throw .init("streams must be an array of 1…1024 names such as chassis/GR86-006-7 or chassis/*")
        }
        var streams: [StreamPattern] = []
        for name in names {
            guard let pattern = name.string.flatMap({ StreamPattern($0) }) else {
                throw .init("streams has \(name.string ?? "no string"); a name is chassis/ID, baseline/ID or KIND/*")
            }
            streams.append(pattern)
        }
        let behavior = json["behavior"].map { $0.string ?? "" } ?? Behavior.every.rawValue
        guard let behavior = Behavior(rawValue: behavior) else {
            throw .init("behavior is \(behavior); it must be every or latest")
        }
        self.init(
            id: id, streams: streams, include: try Self.kinds(json["include"]), from: try From(json["from"]),
            behavior: behavior)
    }

    private static func kinds(_ json: JSONValue?) throws(ClientMessage.Violation) -> [OutputKind] {
        guard let json else { return OutputKind.allCases }
        var kinds: Set<OutputKind> = []
        for name in json.array ?? [] {
            guard let kind = OutputKind.allCases.first(where: { $0.includeName == name.string }) else {
                throw .init("include has \(name.string ?? "no string"); it must be telemetry, insights or alerts")
            }
            kinds.insert(kind)
        }
        guard !kinds.isEmpty else { throw .init("include must name one of telemetry, insights, alerts") }
        return kinds.sorted { $0.rawValue < $1.rawValue }
    }
}

extension From {
    fileprivate init(_ json: JSONValue?) throws(ClientMessage.Violation) {
        switch json {
        case nil, .string("latest"): self = .latest
        case .string("earliest"): self = .earliest
        case let json? where json["time"] != nil:
            guard let time = json["time"]?.string.flatMap({ Timestamp(iso8601: $0) }) else {
                throw .init("from.time must be an ISO 8601 time such as 2025-09-06T18:40:00Z")
            }
            self = .time(time)
        case let json? where json["positions"]?.object != nil:
            var positions: [StreamID: Position] = [:]
            for (name, value) in json["positions"]?.object ?? [:] {
                guard let stream = StreamID(name), let position = Position(value) else {
                    throw .init("from.positions has \(name); it must be a stream with lineage and seq")
                }
                positions[stream] = position
            }
            self = .positions(positions)
        default: throw .init("from must be latest, earliest, {\"time\":…} or {\"positions\":{…}}")
        }
    }
}

extension Position {
    /// `{"lineage":"9f0c…","seq":4711,"insight":…,"alert":…}`; `nil` for anything else.
    package init?(_ json: JSONValue) {
        guard let lineage = json["lineage"]?.string.flatMap({ Lineage($0) }),
            let seq = json["seq"]?.int.flatMap({ UInt64(exactly: $0) })
        else { return nil }
        let insight = json["insight"]?.int.flatMap { UInt64(exactly: $0) }
        let alert = json["alert"]?.int.flatMap { UInt64(exactly: $0) }
        self.init(lineage: lineage, seq: seq, insight: insight, alert: alert)
    }
}
