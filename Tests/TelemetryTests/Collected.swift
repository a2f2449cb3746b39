import Telemetry

/// A record's fields as values of their own, to look at after the closure.
struct Seen: Equatable {
    var index = 0
    var shape = Record.Shape.wide
    var chassis = ""
    var track = ""
    var session = ""
    var outing = ""
    var metaTime: String?
    var carTime: String?
    var lap: Lap?
    var channels = ChannelValues()
    var extras: [String: Double] = [:]
    var original = ""

    init(_ index: Int, _ record: borrowing Record) {
        self.index = index
        shape = record.shape
        chassis = text(record.chassis)
        track = text(record.track)
        session = text(record.session)
        outing = text(record.outing)
        metaTime = record.metaTime?.iso8601
        carTime = record.carTime?.iso8601
        lap = record.lap
        channels = record.channels
        for extra in record.extras { extras[text(extra.name)] = extra.value }
        original = text(record.original)
    }
}

func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

/// What a decoder made of a body.
struct Decoded {
    var records: [Seen] = []
    var refusals: [Int: Refusal] = [:]
}

func decodeJSON(_ body: String, with decoder: RecordDecoder = RecordDecoder()) throws -> Decoded {
    var decoded = Decoded()
    let bytes = Array(body.utf8)
    try bytes.withUnsafeBytes { raw in
        try decoder.decodeJSON(raw) {
            decoded.records.append(Seen($0, $1))
        } refused: {
            decoded.refusals[$0] = $1
        }
    }
    return decoded
}

func decodeCSV(_ body: String, chunk: Int = .max) throws -> Decoded {
    var decoded = Decoded()
    let decoder = CSVDecoder()
    let bytes = Array(body.utf8)
    var start = 0
    while start < bytes.count {
        let end = start + min(chunk, bytes.count - start)
        try bytes[start..<end].withUnsafeBytes { raw in
            try decoder.feed(raw) {
                decoded.records.append(Seen($0, $1))
            } refused: {
                decoded.refusals[$0] = $1
            }
        }
        start = end
    }
    try decoder.finish {
        decoded.records.append(Seen($0, $1))
    } refused: {
        decoded.refusals[$0] = $1
    }
    return decoded
}

func decodeLine(_ datagram: String) -> Decoded {
    var decoded = Decoded()
    let decoder = LineDecoder()
    Array(datagram.utf8).withUnsafeBytes { raw in
        decoder.decode(raw) {
            decoded.records.append(Seen($0, $1))
        } refused: {
            decoded.refusals[$0] = $1
        }
    }
    return decoded
}

/// A point as values of its own.
struct SeenPoint {
    var point: Point
    var json: String
}
