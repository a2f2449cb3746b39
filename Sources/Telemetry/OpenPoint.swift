/// What was sampled at one instant, and its stamps.
struct Sample: Sendable, Equatable {
    var metaTime: Timestamp?
    var carTime: Timestamp?
    var lap: Lap?
    var channels = ChannelValues()
}

/// The long rows of one instant that came so far.
struct OpenPoint: Sendable {
    /// Zero: there is none, and the rest means nothing.
    private(set) var rows: UInt64 = 0
    private(set) var sample = Sample()
    private(set) var logTime = Timestamp(microseconds: 0)
    private(set) var chassis: [UInt8] = []
    var track: String?
    var isLate = false

    mutating func begin(_ record: borrowing Record, _ time: Timestamp) {
        sample = Sample()
        sample.carTime = record.carTime
        sample.lap = record.lap
        logTime = time
        let id = record.chassis
        if !chassis.elementsEqual(id) {
            chassis.removeAll(keepingCapacity: true)
            chassis.append(contentsOf: id)
        }
        track = nil
        isLate = false
    }

    mutating func add(_ record: borrowing Record) {
        rows &+= 1
        if sample.metaTime == nil { sample.metaTime = record.metaTime }
        sample.channels.merge(record.channels)
    }

    mutating func removeAll() { rows = 0 }

    /// The car's clock decides where there is one; the receiver's may differ within a sample.
    func isSameInstant(as record: borrowing Record) -> Bool {
        guard sample.lap == record.lap, sample.carTime == record.carTime else { return false }
        return sample.carTime != nil || sample.metaTime == record.metaTime
    }
}

// MARK: Snapshot format

extension OpenPoint {
    func encode(into writer: inout BinaryWriter) {
        writer.write(rows)
        guard rows > 0 else { return }
        sample.encode(into: &writer)
        writer.write(logTime)
        writer.write(chassis)
        writer.write(track) { $0.write($1) }
        writer.write(isLate)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        rows = try reader.read()
        guard rows > 0 else { return }
        sample = try Sample(from: &reader)
        logTime = try reader.readTimestamp()
        chassis = Array(try reader.readString().utf8)
        track = try reader.readOptional { reader throws(BinaryError) in try reader.readString() }
        isLate = try reader.readBool()
    }
}

extension Sample {
    func encode(into writer: inout BinaryWriter) {
        writer.write(metaTime) { $0.write($1) }
        writer.write(carTime) { $0.write($1) }
        writer.write(lap) { $0.write($1) }
        channels.encode(into: &writer)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        metaTime = try reader.readOptionalTimestamp()
        carTime = try reader.readOptionalTimestamp()
        lap = try reader.readOptional { reader throws(BinaryError) in try reader.read(as: Lap.self) }
        channels = try ChannelValues(from: &reader)
    }
}
