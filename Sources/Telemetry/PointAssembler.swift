/// Makes one stream's points of its records: numbers them 1, 2, 3, … and holds the last value of every channel.
///
/// A wide record is a point. Long rows with the same car clock (the receiver's, where there is none) and the same lap
/// form one. It is complete when a row of another instant or lap comes, or a channel that it has already: a car's clock
/// may stand still, and then several samples are stamped alike. It never waits for channels, which differ by track.
///
/// Part of the engine's state: the same records give the same points however they were batched.
package struct PointAssembler: Sendable {
    package typealias Receiver = (_ point: borrowing Point, _ bytes: UnsafeRawBufferPointer) -> Void

    package struct Counters: Sendable, Equatable {
        /// Records taken. `rows` = rows in points + `duplicates` + rows of the open point.
        package var rows: UInt64 = 0
        /// Rows of points that repeated the point before in stamps, channels and values: dropped.
        package var duplicates: UInt64 = 0
        /// Points whose instant is before the newest one.
        package var late: UInt64 = 0
        /// Points that begin because a channel came again within one instant.
        package var stampedAlike: UInt64 = 0
        /// How often the clock was found to have been set back.
        package var clockJumps: UInt64 = 0
        /// Values of channels outside the catalogue that found no place among the 64 kept.
        package var extrasDropped: UInt64 = 0

        package init() {}
    }

    package private(set) var counters = Counters()
    /// The number of the last point: how many there were.
    package private(set) var seq: UInt64 = 0
    /// The last known value of every channel.
    package private(set) var held = ChannelValues()
    package private(set) var extras = ExtraValues()

    var open = OpenPoint()
    /// Of the last long point, to tell a repeat.
    var previous: Sample?
    var clocks = StreamClocks()
    private var tracks = TrackNames()
    private var json = JSONWriter(reserving: 512)

    package init() {}

    /// Rows wait for the rest of their instant.
    package var isOpen: Bool { open.rows > 0 }

    /// Takes the next record of the stream.
    ///
    /// `point` receives what is complete now: nothing, or a point, or two (the open one and a wide record's). The bytes
    /// of a wide record's point are the original ones, untouched; without them (from CSV) what `RecordEncoder` writes.
    /// For the bytes of a point of long rows see `flush`.
    ///
    /// - Parameter logTime: of the log record; the point's time when the record has none.
    package mutating func add(_ record: borrowing Record, logTime: Timestamp, point: Receiver) {
        counters.rows &+= 1
        switch record.shape {
        case .wide:
            flush(point: point)
            addWide(record, logTime, point)
        case .long: addRow(record, logTime, point)
        }
    }

    /// Completes the open point, if there is one.
    ///
    /// Its bytes are one JSON object in Pitwall's wide shape: `meta_time` (the point's time: the receiver's clock, else
    /// the car's, else the log's), `timestamp` (the car's clock, where known), `track` (where known), `chassis`, `lap`
    /// (where known), then every channel that is held, in the order of the catalogue, then the other channels that
    /// were sampled, by name.
    package mutating func flush(point: Receiver) {
        guard open.rows > 0 else { return }
        defer { open.removeAll() }
        if open.sample == previous, extras.isRepeat {
            counters.duplicates &+= open.rows
            extras.endSample(isNewest: false)
            return
        }
        emitOpen(point)
        previous = open.sample
    }
}

// MARK: Wide records

extension PointAssembler {
    private mutating func addWide(_ record: borrowing Record, _ logTime: Timestamp, _ receive: Receiver) {
        previous = nil
        extras.forgetPrevious()
        var point = Point()
        point.metaTime = record.metaTime
        point.carTime = record.carTime
        point.time = record.metaTime ?? record.carTime ?? logTime
        point.lap = record.lap
        point.track = tracks.name(of: record.track)
        point.sampled = record.channels
        point.isLate = isLate(clocks.take(car: record.carTime, meta: record.metaTime))
        for extra in record.extras { sample(extra.name, extra.value) }
        hold(&point)
        extras.endSample(isNewest: !point.isLate)
        extras.forgetPrevious()
        guard record.original.isEmpty else { return receive(point, record.original) }
        json.removeAll()
        RecordEncoder.encode(record, into: &json)
        json.bytes.withUnsafeBytes { receive(point, $0) }
    }

    /// Numbers the point and brings `held` up to date. A late point fills in what was never known and overwrites
    /// nothing; its own `held` has its own values.
    private mutating func hold(_ point: inout Point) {
        seq &+= 1
        point.seq = seq
        if point.isLate {
            counters.late &+= 1
            point.held = held
            point.held.merge(point.sampled)
            held.fill(from: point.sampled)
        } else {
            held.merge(point.sampled)
            point.held = held
        }
    }

    private mutating func isLate(_ order: StreamClocks.Order) -> Bool {
        if order == .jumped { counters.clockJumps &+= 1 }
        return order == .late
    }

    private mutating func sample(_ name: UnsafeRawBufferPointer, _ value: Double) {
        if !extras.sample(name, value) { counters.extrasDropped &+= 1 }
    }
}

// MARK: Long rows

extension PointAssembler {
    private mutating func addRow(_ record: borrowing Record, _ logTime: Timestamp, _ receive: Receiver) {
        if open.rows > 0 {
            if !open.isSameInstant(as: record) {
                flush(point: receive)
            } else if comesAgain(record) {
                flush(point: receive)
                counters.stampedAlike &+= 1
            }
        }
        if open.rows == 0 { begin(record, logTime) }
        open.add(record)
        if open.track == nil { open.track = tracks.name(of: record.track) }
        for extra in record.extras { sample(extra.name, extra.value) }
    }

    private mutating func begin(_ record: borrowing Record, _ logTime: Timestamp) {
        open.begin(record, logTime)
        open.isLate = isLate(clocks.take(car: record.carTime, meta: record.metaTime))
    }

    private func comesAgain(_ record: borrowing Record) -> Bool {
        if open.sample.channels.intersects(record.channels) { return true }
        for extra in record.extras where extras.isSampled(extra.name) { return true }
        return false
    }

    private mutating func emitOpen(_ receive: Receiver) {
        var point = Point()
        point.metaTime = open.sample.metaTime
        point.carTime = open.sample.carTime
        point.time = point.metaTime ?? point.carTime ?? open.logTime
        point.lap = open.sample.lap
        point.track = open.track
        point.sampled = open.sample.channels
        point.isLate = open.isLate
        hold(&point)
        writeWide(point)
        extras.endSample(isNewest: !point.isLate)
        json.bytes.withUnsafeBytes { receive(point, $0) }
    }

    private mutating func writeWide(_ point: borrowing Point) {
        json.removeAll()
        json.raw("{")
        var members = JSONMembers()
        members.time("meta_time", point.time, &json)
        members.time("timestamp", point.carTime, &json)
        if var track = point.track {
            track.withUTF8 { members.text("track", UnsafeRawBufferPointer($0), &json) }
        }
        open.chassis.withUnsafeBytes { members.text("chassis", $0, &json) }
        members.lap(point.lap, &json)
        members.channels(point.held, &json)
        extras.writeSampled(&members, into: &json)
        json.raw("}")
    }
}

// MARK: Snapshot format

extension PointAssembler {
    /// All state there is: equal state gives equal bytes.
    package func encode(into writer: inout BinaryWriter) {
        writer.write(seq)
        counters.encode(into: &writer)
        held.encode(into: &writer)
        extras.encode(into: &writer)
        open.encode(into: &writer)
        writer.write(previous) { $1.encode(into: &$0) }
        clocks.encode(into: &writer)
    }

    package init(from reader: inout BinaryReader) throws(BinaryError) {
        seq = try reader.read()
        counters = try Counters(from: &reader)
        held = try ChannelValues(from: &reader)
        extras = try ExtraValues(from: &reader)
        open = try OpenPoint(from: &reader)
        previous = try reader.readOptional { reader throws(BinaryError) in try Sample(from: &reader) }
        clocks = try StreamClocks(from: &reader)
    }
}

extension PointAssembler.Counters {
    func encode(into writer: inout BinaryWriter) {
        for counter in [rows, duplicates, late, stampedAlike, clockJumps, extrasDropped] { writer.write(counter) }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        rows = try reader.read()
        duplicates = try reader.read()
        late = try reader.read()
        stampedAlike = try reader.read()
        clockJumps = try reader.read()
        extrasDropped = try reader.read()
    }
}
