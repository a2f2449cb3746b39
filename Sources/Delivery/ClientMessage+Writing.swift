import Telemetry

extension SubscribeRequest {
    /// The `subscribe` message.
    package func write(into json: inout JSONWriter) {
        json.raw("{\"type\":\"subscribe\",\"id\":")
        json.string(id)
        json.raw(",\"streams\":")
        json.strings(streams.map(\.description))
        json.raw(",\"include\":")
        json.strings(include.map(\.includeName))
        json.raw(",\"behavior\":")
        json.string(behavior.rawValue)
        json.raw(",\"from\":")
        from.write(into: &json)
        json.raw("}")
    }
}

extension From {
    func write(into json: inout JSONWriter) {
        switch self {
        case .latest: json.raw("\"latest\"")
        case .earliest: json.raw("\"earliest\"")
        case .time(let time):
            json.raw("{\"time\":")
            json.timestamp(time)
            json.raw("}")
        case .positions(let positions):
            json.raw("{\"positions\":")
            json.positions(positions)
            json.raw("}")
        }
    }
}

extension JSONWriter {
    /// `{"chassis/A":{"lineage":…,"seq":…,"insight":…,"alert":…},…}`, in the order of the names.
    package mutating func positions(_ positions: [StreamID: Position]) {
        raw("{")
        for (index, (stream, position)) in positions.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { comma() }
            key(stream.description)
            self.position(position)
        }
        raw("}")
    }

    package mutating func position(_ position: Position) {
        raw("{\"lineage\":\"")
        raw(position.lineage.description.utf8)
        raw("\",\"seq\":")
        integer(position.seq)
        raw(",\"insight\":")
        integer(position.insight)
        raw(",\"alert\":")
        integer(position.alert)
        raw("}")
    }

    package mutating func strings(_ texts: [String]) {
        raw("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { comma() }
            string(text)
        }
        raw("]")
    }
}
