/// A race track: how long a lap is and where its sectors end.
package struct Track: Sendable, Hashable {
    package struct Sector: Sendable, Hashable {
        package let start: Double
        /// Exclusive.
        package let end: Double
        package init(start: Double, end: Double) {
            self.start = start
            self.end = end
        }
    }

    /// As in the `track` field: `barber`, `road_america`.
    package let name: String
    /// One lap, m.
    package let length: Double
    /// In m from start/finish, in order.
    package let sectors: [Sector]

    package init(name: String, length: Double, sectors: [Sector]) {
        self.name = name
        self.length = length
        self.sectors = sectors
    }

    /// The first sector with start ≤ distance < end, else the last.
    package func sector(at distance: Double) -> Int {
        sectors.firstIndex { $0.start <= distance && distance < $0.end } ?? max(0, sectors.count - 1)
    }
}

/// The tracks a node knows, by name. Outputs depend on it, so all nodes must have the same.
package struct TrackTable: Sendable, Hashable {
    private let tracks: [String: Track]

    package init(_ tracks: [Track]) {
        self.tracks = Dictionary(tracks.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    }

    package subscript(_ name: String) -> Track? { tracks[name] }
    package var all: [Track] { tracks.values.sorted { $0.name < $1.name } }

    /// Takes the place of a track without a table: thirds of 5000 m, as Pitwall has it.
    package static let fallback = Track(
        name: "unknown", length: 5_000,
        sectors: [
            .init(start: 0, end: 5_000.0 / 3), .init(start: 5_000.0 / 3, end: 10_000.0 / 3),
            .init(start: 10_000.0 / 3, end: 5_000),
        ])

    /// The seven tracks of the 2025 GR Cup. Source: the official track maps, sector lengths printed in inches.
    package static let builtIn = TrackTable([
        make("barber", length: 3_674.7, 1_029.0, 1_580.4),
        make("cota", length: 5_498.3, 1_308.8, 2_240.0),
        make("indianapolis", length: 3_925.2, 1_364.3, 1_386.9),
        make("road_america", length: 6_459.6, 2_058.6, 2_208.0),
        make("sebring", length: 6_018.9, 1_824.2, 1_863.7),
        make("sonoma", length: 4_031.4, 1_384.8, 1_421.8),
        make("vir", length: 5_262.6, 1_652.6, 2_158.0),
    ])

    private static func make(_ name: String, length: Double, _ first: Double, _ second: Double) -> Track {
        let ends = [0, first, first + second, length]
        return Track(name: name, length: length, sectors: (0..<3).map { .init(start: ends[$0], end: ends[$0 + 1]) })
    }

    /// The track of a TRD event code: `I_R06_2025-09-07` → `barber`. Other names stand for themselves.
    package static func name(of trackOrEvent: UnsafeRawBufferPointer) -> String? {
        guard !trackOrEvent.isEmpty else { return nil }
        let code: [UInt8] = Array("I_R0".utf8)
        if trackOrEvent.count >= 6, trackOrEvent.prefix(4).elementsEqual(code), trackOrEvent[5] == UInt8(ascii: "_") {
            let round = Int(trackOrEvent[4]) - Int(UInt8(ascii: "1"))
            if rounds.indices.contains(round) { return rounds[round] }
        }
        if trackOrEvent.elementsEqual("virginia".utf8) { return "vir" }
        return String(decoding: trackOrEvent, as: UTF8.self)
    }

    private static let rounds = ["sonoma", "cota", "sebring", "vir", "road_america", "barber", "indianapolis"]
}
