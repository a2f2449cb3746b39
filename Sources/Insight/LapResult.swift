import Telemetry

/// A lap that is over.
package struct LapResult: Sendable {
    package let number: Lap
    /// `nil` when its beginning or its end was not seen.
    package let seconds: Double?
    /// `nil` where a sector's end was not seen, or the track sends no lap distance.
    package let sectors: [Double?]
    /// Both ends were seen, not guessed from the first point after a silence.
    package let isExact: Bool
    package let stress: Double
    /// No later point can change it.
    package internal(set) var isSettled = false

    init(of lap: LapTally, until next: LapTally) {
        number = lap.number
        seconds = lap.seconds(until: next)
        sectors = lap.sectorStress.indices.map { lap.seconds(ofSector: $0, until: next) }
        isExact = lap.isExact(until: next)
        stress = lap.stress
    }
}

// MARK: Snapshot format

extension LapResult {
    func encode(into writer: inout BinaryWriter) {
        writer.write(number)
        writer.write(seconds)
        writer.write(UInt8(sectors.count))
        for sector in sectors { writer.write(sector) }
        writer.write(isExact)
        writer.write(stress)
        writer.write(isSettled)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        number = try reader.read()
        seconds = try reader.readOptional(BinaryReader.double)
        let count: UInt8 = try reader.read()
        var sectors: [Double?] = []
        for _ in 0..<count { sectors.append(try reader.readOptional(BinaryReader.double)) }
        self.sectors = sectors
        isExact = try reader.readBool()
        stress = try reader.readDouble()
        isSettled = try reader.readBool()
    }
}

extension BinaryReader {
    static func double(from reader: inout BinaryReader) throws(BinaryError) -> Double { try reader.readDouble() }
    static func integer(from reader: inout BinaryReader) throws(BinaryError) -> Int64 { try reader.read() }
}
