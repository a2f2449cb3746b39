import Foundation
import Telemetry

/// Reads `track_sectors.json`.
enum TrackFile {
    /// - Throws: `NodeError.tracks` naming the file and what is wrong in it.
    static func read(_ path: String) throws(NodeError) -> TrackTable {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .tracks(path: path, reason: "cannot be read; it must be a JSON file")
        }
        do throws(TrackTableError) { return try TrackTable.parse(Array(data)) } catch {
            throw .tracks(path: path, reason: "\(error)")
        }
    }
}
