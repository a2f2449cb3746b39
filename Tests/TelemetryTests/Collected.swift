import Telemetry
import Testing

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

/// A point and its bytes.
struct SeenPoint: Equatable {
    let seq: UInt64
    let time: String
    let carTime: String?
    let lap: Lap?
    let track: String?
    let sampled: ChannelValues
    let held: ChannelValues
    let isLate: Bool
    let json: String

    init(_ point: borrowing Point, _ bytes: UnsafeRawBufferPointer) {
        seq = point.seq
        time = point.time.iso8601
        carTime = point.carTime?.iso8601
        lap = point.lap
        track = point.track
        sampled = point.sampled
        held = point.held
        isLate = point.isLate
        json = text(bytes)
    }
}

/// One stream's assembler and the points it made.
struct Assembly {
    var assembler = PointAssembler()
    var points: [SeenPoint] = []
    static let logTime = Timestamp(milliseconds: 1_757_184_000_000)

    /// Long rows `lap,meta_time,telemetry_name,telemetry_value,timestamp` of car A; times are seconds of one minute.
    mutating func add(_ rows: String) throws {
        let lines = rows.split(separator: " ").map { row in
            let fields = row.split(separator: ",", omittingEmptySubsequences: false)
            return "\(fields[0]),\(time(fields[1])),\(fields[2]),\(fields[3]),\(time(fields[4])),A"
        }
        let header = "lap,meta_time,telemetry_name,telemetry_value,timestamp,vehicle_id"
        try addCSV(([header] + lines).joined(separator: "\n"))
    }

    mutating func addCSV(_ csv: String) throws {
        let decoder = CSVDecoder()
        var assembler = self.assembler
        var points = self.points
        let take: (Int, borrowing Record) -> Void = { _, record in
            assembler.add(record, logTime: Self.logTime) { points.append(SeenPoint($0, $1)) }
        }
        try Array(csv.utf8).withUnsafeBytes { raw in
            try decoder.feed(raw, record: take) { Issue.record("line \($0): \($1)") }
            try decoder.finish(record: take) { Issue.record("line \($0): \($1)") }
        }
        self.assembler = assembler
        self.points = points
    }

    mutating func addJSON(_ body: String, logTime: Timestamp = Assembly.logTime) throws {
        var assembler = self.assembler
        var points = self.points
        try Array(body.utf8).withUnsafeBytes { raw in
            try RecordDecoder().decodeJSON(raw) { _, record in
                assembler.add(record, logTime: logTime) { points.append(SeenPoint($0, $1)) }
            } refused: {
                Issue.record("\($0): \($1)")
            }
        }
        self.assembler = assembler
        self.points = points
    }

    mutating func flush() {
        var points = self.points
        assembler.flush { points.append(SeenPoint($0, $1)) }
        self.points = points
    }

    var state: [UInt8] {
        var writer = BinaryWriter()
        assembler.encode(into: &writer)
        return writer.bytes
    }

    private func time(_ second: Substring) -> String {
        second.isEmpty ? "" : "2025-09-06T18:40:\(second.split(separator: ".")[0].count < 2 ? "0" : "")\(second)Z"
    }
}
