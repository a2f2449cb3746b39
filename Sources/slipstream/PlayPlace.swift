import Foundation
import Telemetry

/// Where a play was when it was broken off.
struct PlayPlace: Codable {
    /// The name this play publishes under: a new one for each, so that playing a file twice is two races.
    var source: String
    /// The last batch that is durable, and the rows up to and including it.
    var sequence: UInt64 = 0
    var rows = 0
    /// Batches must be cut alike when it goes on.
    var batchRows: Int
    var speed: Double?

    init(batchRows: Int, speed: Double?) {
        source = "play-\(UUID().uuidString.lowercased())"
        self.batchRows = batchRows
        self.speed = speed
    }
}

/// The file that keeps a place: in `.slipstream-play/` of the working directory, one for each file that is played.
struct PlayPlaceFile {
    private let url: URL

    init(for file: String) {
        let full = URL(fileURLWithPath: file).standardizedFileURL.path
        let hash = String(StableHash.hash(Array(full.utf8)), radix: 16)
        url = URL(fileURLWithPath: ".slipstream-play/\(URL(fileURLWithPath: file).lastPathComponent)-\(hash).json")
    }

    /// - Returns: `nil` when nothing was broken off.
    func read() throws(CommandError) -> PlayPlace? {
        guard let data = FileManager.default.contents(atPath: url.path) else { return nil }
        do { return try JSONDecoder().decode(PlayPlace.self, from: data) } catch {
            throw CommandError("\(url.path) cannot be read; --fresh begins anew")
        }
    }

    func write(_ place: PlayPlace) throws {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONEncoder().encode(place).write(to: url, options: .atomic)
    }

    func remove() throws {
        if FileManager.default.fileExists(atPath: url.path) { try FileManager.default.removeItem(at: url) }
    }
}
