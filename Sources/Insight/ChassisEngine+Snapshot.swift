import Telemetry

// MARK: Snapshot format

extension ChassisEngine {
    package func encode(into writer: inout BinaryWriter) {
        writer.write(trackName) { $0.write($1) }
        clock.encode(into: &writer)
        distance.encode(into: &writer)
        writer.write(seq)
        writer.write(time)
        writer.write(speed)
        writer.write(secondsSinceReport)
        writer.write(hasLap)
        if hasLap { lap.encode(into: &writer) }
        writer.write(hasLapBefore)
        if hasLapBefore { lapBefore.encode(into: &writer) }
        writer.write(UInt8(sector))
        writer.write(quietPoints)
        writer.write(isSettled)
        writer.write(unknownPoints)
        writer.write(latePoints)
        writer.write(lastLap) { $1.encode(into: &$0) }
        writer.write(bestLap) { $1.encode(into: &$0) }
        writer.write(lapsCompleted)
        writer.write(lapsStarted)
        degradation.encode(into: &writer)
        trend.encode(into: &writer)
        alerts.encode(into: &writer)
    }

    /// - Throws: `BinaryError` when the bytes are no state of this version, or of another track table.
    package init(stream: StreamID, tracks: TrackTable, from reader: inout BinaryReader) throws(BinaryError) {
        self.init(stream: stream, tracks: tracks)
        trackName = try reader.readOptional { (from: inout BinaryReader) throws(BinaryError) in
            try from.readString()
        }
        let track = trackName.flatMap { tracks[$0] } ?? TrackTable.fallback
        self.track = track
        clock = try CarClock(from: &reader)
        distance = try LapDistance(from: &reader)
        seq = try reader.read()
        time = try reader.readTimestamp()
        speed = try reader.readOptional(BinaryReader.double)
        secondsSinceReport = try reader.readDouble()
        hasLap = try reader.readBool()
        if hasLap { lap = try LapTally(on: track, from: &reader) }
        hasLapBefore = try reader.readBool()
        if hasLapBefore { lapBefore = try LapTally(on: track, from: &reader) }
        let sector: UInt8 = try reader.read()
        guard sector < max(1, track.sectors.count) else { throw .invalid(what: "sector", value: "\(sector)") }
        self.sector = Int(sector)
        quietPoints = try reader.read()
        isSettled = try reader.readBool()
        unknownPoints = try reader.read()
        latePoints = try reader.read()
        lastLap = try reader.readOptional(LapResult.init)
        bestLap = try reader.readOptional(LapResult.init)
        lapsCompleted = try reader.read()
        lapsStarted = try reader.read()
        degradation = try Degradation(from: &reader)
        trend = try SpeedTrend(from: &reader)
        alerts = try AlertBook(from: &reader)
        wearLimit = TyreWear.stressToExceed(alerts.severity(of: .tyreWear))
        isInconsistent = alerts.severity(of: .lowConsistency) > .none
    }
}
