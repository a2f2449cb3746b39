import Delivery
import JSON
import Telemetry

/// Reads a node's messages. Of an update only the envelope is looked at: its points stay the bytes that arrived.
package struct MessageReader: ~Copyable {
    private let parser = JSONParser()

    package init() {}

    /// - Throws: when it is not JSON, or no message of the protocol.
    package borrowing func read(_ message: [UInt8]) throws(MessageError) -> NodeMessage {
        let result = message.withUnsafeBytes { bytes in
            Result { () throws(JSONError) in
                try parser.withTape(of: bytes) { tape in
                    Result { () throws(MessageError) in try Envelope(tape, message).message() }
                }
            }
        }
        switch result {
        case .success(let message): return try message.get()
        case .failure(let error): throw MessageError(error.description)
        }
    }
}

/// The members of one message, by the index of their value on the tape.
private struct Envelope {
    private let tape: JSONTape
    private let bytes: [UInt8]

    init(_ tape: JSONTape, _ bytes: [UInt8]) {
        self.tape = tape
        self.bytes = bytes
    }

    func message() throws(MessageError) -> NodeMessage {
        let type = try text("type")
        switch type {
        case "telemetry_update": return .output(try output(.point))
        case "insight_update": return .output(try output(.insight))
        case "alert_update": return .output(try output(.alert))
        case "heartbeat": return .heartbeat(try positions())
        case "ack": return .ack(source: try text("source"), through: try number("through"), rejected: try rejected())
        case "subscribed": return .subscribed(id: try text("id"), positions: try positions())
        case "resync": return .resync(try resync())
        case "error": return .error(try error())
        case "moved": return .moved(to: try texts("to"))
        case "nodes": return .nodes(try nodes())
        case "pong": return .pong
        default: return .unknown(type: type)
        }
    }

    private func nodes() throws(MessageError) -> NodeList {
        let isHere = tape.member("here").map { tape[$0].kind == .true } ?? true
        return NodeList(isHere: isHere, direct: Int(min(try number("direct"), 1_000)), urls: try texts("to"))
    }

    private func output(_ kind: OutputKind) throws(MessageError) -> OutputMessage {
        let data = try index("data")
        return OutputMessage(
            kind: kind, stream: try stream(), lineage: try lineage(at: try index("lineage")),
            previous: try number("prev"), seq: try number("seq"),
            conflated: tape.member("conflated").flatMap(number(at:)),
            body: kind == .point ? try elements(ofArrayAt: data) : body(at: data),
            time: tape.member("meta").flatMap { tape.member("generated_at", ofObjectAt: $0) }.flatMap(time(at:)))
    }

    private func resync() throws(MessageError) -> ResyncMessage {
        let position = try position(at: 0)
        return ResyncMessage(
            stream: try stream(), reason: try text("reason"), position: position, state: body(at: try index("state")))
    }

    private func error() throws(MessageError) -> ErrorMessage {
        ErrorMessage(
            code: try text("code"), message: tape.member("message").flatMap(text(at:)) ?? "",
            id: tape.member("id").flatMap(text(at:)), source: tape.member("source").flatMap(text(at:)),
            sourceSeq: tape.member("source_seq").flatMap(number(at:)),
            retryAfter: tape.member("retry_after_ms").flatMap(number(at:)).map { .milliseconds(min($0, 86_400_000)) })
    }

    private func rejected() throws(MessageError) -> [RejectedElement] {
        guard let array = tape.member("rejected") else { return [] }
        var rejected: [RejectedElement] = []
        for element in try elementIndexes(ofArrayAt: array) {
            func part(_ name: String) -> Int? { tape.member(name, ofObjectAt: element) }
            guard let sequence = part("source_seq").flatMap(number(at:)), let place = part("index").flatMap(number(at:))
            else { throw MessageError("a rejected element has no source_seq or index") }
            rejected.append(
                RejectedElement(
                    sourceSeq: sequence, index: Int(clamping: place), field: part("field").flatMap(text(at:)) ?? "",
                    value: part("value").flatMap(text(at:)) ?? "", reason: part("reason").flatMap(text(at:)) ?? "",
                    message: part("message").flatMap(text(at:)) ?? ""))
        }
        return rejected
    }

    private func positions() throws(MessageError) -> [StreamID: Position] {
        let object = try index("positions")
        guard tape[object].kind == .object else { throw MessageError("positions is not an object") }
        var positions: [StreamID: Position] = [:]
        var index = object + 1
        let end = tape.index(after: object)
        while index < end {
            // A kind that this version does not know is none that it asked for.
            if let stream = StreamID(tape.string(of: tape[index])) {
                positions[stream] = try position(at: index + 1)
            }
            index = tape.index(after: index + 1)
        }
        return positions
    }

    private func position(at index: Int) throws(MessageError) -> Position {
        func watermark(_ name: String) -> UInt64? { tape.member(name, ofObjectAt: index).flatMap(number(at:)) }
        guard let lineage = tape.member("lineage", ofObjectAt: index), let seq = watermark("seq") else {
            throw MessageError("a position has no lineage or no seq")
        }
        return Position(
            lineage: try self.lineage(at: lineage), seq: seq, insight: watermark("insight"), alert: watermark("alert"))
    }
}

// MARK: Parts

extension Envelope {
    private func index(_ name: String) throws(MessageError) -> Int {
        guard let index = tape.member(name) else { throw MessageError("\(name) is missing") }
        return index
    }

    private func text(_ name: String) throws(MessageError) -> String {
        guard let text = text(at: try index(name)) else { throw MessageError("\(name) is not a string") }
        return text
    }

    private func texts(_ name: String) throws(MessageError) -> [String] {
        try elementIndexes(ofArrayAt: try index(name)).compactMap(text(at:))
    }

    private func number(_ name: String) throws(MessageError) -> UInt64 {
        guard let number = number(at: try index(name)) else { throw MessageError("\(name) is not a whole number") }
        return number
    }

    private func text(at index: Int) -> String? { tape[index].kind == .string ? tape.string(of: tape[index]) : nil }

    private func number(at index: Int) -> UInt64? {
        tape[index].kind == .integer ? UInt64(exactly: tape[index].integer) : nil
    }

    private func time(at index: Int) -> Timestamp? {
        tape[index].kind == .string ? Timestamp(iso8601: tape.text(of: tape[index])) : nil
    }

    private func stream() throws(MessageError) -> StreamID {
        let name = try text("stream")
        guard let stream = StreamID(name) else { throw MessageError("\(name) is not a stream") }
        return stream
    }

    private func lineage(at index: Int) throws(MessageError) -> Lineage {
        guard let text = text(at: index), let lineage = Lineage(text) else {
            throw MessageError("a lineage is not sixteen hex digits")
        }
        return lineage
    }

    private func body(at index: Int) -> MessageBody { MessageBody(bytes: bytes, elements: [range(at: index)]) }

    private func elements(ofArrayAt array: Int) throws(MessageError) -> MessageBody {
        MessageBody(bytes: bytes, elements: try elementIndexes(ofArrayAt: array).map(range(at:))[...])
    }

    private func range(at index: Int) -> Range<Int32> { Int32(tape[index].start)..<Int32(tape[index].end) }

    private func elementIndexes(ofArrayAt array: Int) throws(MessageError) -> [Int] {
        guard tape[array].kind == .array else { throw MessageError("an array was expected") }
        var indexes: [Int] = []
        indexes.reserveCapacity(tape[array].count)
        var index = array + 1
        for _ in 0..<tape[array].count {
            indexes.append(index)
            index = tape.index(after: index)
        }
        return indexes
    }
}
