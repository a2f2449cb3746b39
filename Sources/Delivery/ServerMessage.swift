import Telemetry

/// Messages of a node about a connection.
package enum ServerMessage {
    package static let pong = Frame(Array("{\"type\":\"pong\"}".utf8))

    /// - Parameter id: the subscription it answers, if any; `source` and `sequence` the publish.
    /// - Parameter retryAfterMilliseconds: when trying again makes sense.
    package static func error(
        code: String, message: String, id: String? = nil, source: String? = nil, sequence: UInt64? = nil,
        retryAfterMilliseconds: Int? = nil
    ) -> Frame {
        var json = JSONWriter()
        json.raw("{\"type\":\"error\",\"code\":")
        json.string(code)
        json.raw(",\"message\":")
        json.string(message)
        if let id {
            json.raw(",\"id\":")
            json.string(id)
        }
        if let source, let sequence {
            json.raw(",\"source\":")
            json.string(source)
            json.raw(",\"source_seq\":")
            json.integer(sequence)
        }
        if let retryAfterMilliseconds {
            json.raw(",\"retry_after_ms\":")
            json.integer(retryAfterMilliseconds)
        }
        json.raw("}")
        return Frame(json.bytes)
    }

    /// This node is about to go: others have what it served.
    package static func moved(to urls: [String]) -> Frame {
        var json = JSONWriter()
        json.raw("{\"type\":\"moved\",\"to\":")
        json.texts(urls)
        json.raw("}")
        return Frame(json.bytes)
    }

    /// Which other nodes there are for a connection, the best first.
    /// - Parameters:
    ///   - isHere: this node has itself what the connection is about.
    ///   - direct: how many of the others do, the first so many.
    package static func nodes(isHere: Bool, direct: Int, _ urls: [String]) -> Frame {
        var json = JSONWriter()
        json.raw("{\"type\":\"nodes\",\"here\":\(isHere),\"direct\":\(direct),\"to\":".utf8)
        json.texts(urls)
        json.raw("}")
        return Frame(json.bytes)
    }

    /// Everything `source` published up to `through` is durable, but for what is listed.
    package static func ack(source: String, through: UInt64, rejected: [Rejection]) -> Frame {
        var json = JSONWriter()
        json.raw("{\"type\":\"ack\",\"source\":")
        json.string(source)
        json.raw(",\"through\":")
        json.integer(through)
        if !rejected.isEmpty {
            json.raw(",\"rejected\":")
            json.rejections(rejected)
        }
        json.raw("}")
        return Frame(json.bytes)
    }
}

/// An element of a batch that was not accepted.
package struct Rejection: Sendable, Equatable {
    /// The publish it was in; `nil` over HTTP.
    package let sequence: UInt64?
    /// Its place in the batch, from 0.
    package let index: Int
    package let refusal: Refusal

    package init(sequence: UInt64?, index: Int, refusal: Refusal) {
        self.sequence = sequence
        self.index = index
        self.refusal = refusal
    }
}

extension JSONWriter {
    fileprivate mutating func texts(_ texts: [String]) {
        raw("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { comma() }
            string(text)
        }
        raw("]")
    }

    /// `[{"index":…,"field":…,"value":…,"reason":…,"message":…},…]`
    package mutating func rejections(_ rejections: [Rejection]) {
        raw("[")
        for (place, rejection) in rejections.enumerated() {
            if place > 0 { comma() }
            raw("{")
            if let sequence = rejection.sequence {
                raw("\"source_seq\":")
                integer(sequence)
                comma()
            }
            raw("\"index\":")
            integer(rejection.index)
            raw(",\"field\":")
            string(rejection.refusal.field)
            raw(",\"value\":")
            string(rejection.refusal.value)
            raw(",\"reason\":")
            string(rejection.refusal.reason.rawValue)
            raw(",\"message\":")
            string(rejection.refusal.description)
            raw("}")
        }
        raw("]")
    }
}
