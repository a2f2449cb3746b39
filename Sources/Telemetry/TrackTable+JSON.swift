import JSON

/// Why a table of tracks was refused: the track, the field, its value and what would have been right.
package struct TrackTableError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `nil` when the table as a whole is wrong.
    package let track: String?
    package let field: String
    package let value: String
    package let allowed: String

    package var description: String {
        let place = track.map { "track \($0): " } ?? ""
        return "\(place)\(field) is \(value); it must be \(allowed)"
    }
}

/// Reads Pitwall's `track_sectors.json`:
///
/// ```json
/// {"barber": {"total_m": 3830, "sectors": [{"name": "S1", "start_m": 0, "end_m": 1277}, …]}, …}
/// ```
extension TrackTable {
    /// More than any track has; states and insights grow with it.
    package static let sectorsMax = 64
    /// m, well above the longest circuit there is (Nordschleife with Grand Prix track, 25.4 km).
    package static let lengthMax = 100_000.0

    /// The tracks of the file and no others: it takes the place of the built-in table.
    ///
    /// A sector begins where the one before it ends or later; sectors may leave the end of the track over (what lies
    /// in no sector counts to the last). Fields that are not known are passed over.
    package static func parse(_ json: some Sequence<UInt8>) throws(TrackTableError) -> TrackTable {
        let value: JSONValue
        do { value = try JSONValue.parse(json) } catch {
            throw TrackTableError(track: nil, field: "the file", value: "\(error)", allowed: "a JSON object of tracks")
        }
        guard let object = value.object else {
            throw TrackTableError(
                track: nil, field: "the file", value: shown(value), allowed: "a JSON object of tracks")
        }
        var tracks: [Track] = []
        // In order of names, so that of several errors always the same is reported.
        for (name, value) in object.sorted(by: { $0.key < $1.key }) { tracks.append(try track(name, value)) }
        guard !tracks.isEmpty else {
            throw TrackTableError(track: nil, field: "the file", value: "{}", allowed: "an object with a track or more")
        }
        return TrackTable(tracks)
    }

    private static func track(_ name: String, _ value: JSONValue) throws(TrackTableError) -> Track {
        guard !name.isEmpty, name.utf8.count <= Limits.idBytes else {
            throw TrackTableError(
                track: nil, field: "a track's name", value: "\"\(name.prefix(80))\"",
                allowed: "1 to \(Limits.idBytes) bytes long")
        }
        guard value.object != nil else { throw error(name, "the track", value, "an object with total_m and sectors") }
        let length = try number(name, "total_m", value["total_m"])
        guard length > 0, length <= lengthMax else {
            throw error(name, "total_m", value["total_m"], "above 0 and at most 100000 m")
        }
        guard let elements = value["sectors"]?.array, (1...sectorsMax).contains(elements.count) else {
            throw error(name, "sectors", value["sectors"], "an array of 1 to \(sectorsMax) sectors")
        }
        var sectors: [Track.Sector] = []
        for (index, element) in elements.enumerated() {
            sectors.append(
                try sector(name, "sectors[\(index)]", element, after: sectors.last?.end ?? 0, length: length))
        }
        return Track(name: name, length: length, sectors: sectors)
    }

    private static func sector(
        _ track: String, _ field: String, _ value: JSONValue, after previousEnd: Double, length: Double
    ) throws(TrackTableError) -> Track.Sector {
        let start = try number(track, "\(field).start_m", value["start_m"])
        let end = try number(track, "\(field).end_m", value["end_m"])
        guard start >= previousEnd else {
            throw error(
                track, "\(field).start_m", value["start_m"], "at least \(previousEnd) m, where the one before ends")
        }
        guard end > start, end <= length else {
            throw error(track, "\(field).end_m", value["end_m"], "above start_m and at most total_m (\(length) m)")
        }
        return Track.Sector(start: start, end: end)
    }

    private static func number(_ track: String, _ field: String, _ value: JSONValue?) throws(TrackTableError) -> Double
    {
        guard let number = value?.double, number.isFinite else {
            throw error(track, field, value, "a number of metres")
        }
        return number
    }

    private static func error(
        _ track: String, _ field: String, _ value: JSONValue?, _ allowed: String
    ) -> TrackTableError {
        TrackTableError(track: track, field: field, value: value.map(shown) ?? "missing", allowed: allowed)
    }

    private static func shown(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value.prefix(80))\""
        case .array(let elements): "an array of \(elements.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}
