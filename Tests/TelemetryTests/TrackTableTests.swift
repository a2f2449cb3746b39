import Telemetry
import Testing

@Suite struct TrackTableTests {
    @Test func `Pitwall's track file is read as it stands`() throws {
        let table = try TrackTable.parse(
            #"""
            {"barber": {"total_m": 3830, "sectors": [{"name": "S1", "start_m": 0, "end_m": 1277},
             {"name": "S2", "start_m": 1277, "end_m": 2553}, {"name": "S3", "start_m": 2553, "end_m": 3830}]}}
            """#.utf8)
        let barber = try #require(table["barber"])
        #expect(barber.length == 3_830)
        #expect(
            barber.sectors == [
                .init(start: 0, end: 1_277), .init(start: 1_277, end: 2_553), .init(start: 2_553, end: 3_830),
            ])
        #expect(table["vir"] == nil)
    }

    @Test(arguments: [
        (0.0, 0), (1_276.9, 0), (1_277.0, 1), (2_600.0, 2), (3_829.0, 2), (3_830.0, 2), (5_000.0, 2), (-1.0, 2),
    ])
    func `a place lies in the first sector that holds it, else in the last`(distance: Double, sector: Int) throws {
        let track = Track(
            name: "barber", length: 3_830,
            sectors: [.init(start: 0, end: 1_277), .init(start: 1_277, end: 2_553), .init(start: 2_553, end: 3_830)])
        #expect(track.sector(at: distance) == sector)
    }

    @Test(arguments: [
        ("[]", "the file is an array of 0; it must be a JSON object of tracks"),
        ("{}", "the file is {}; it must be an object with a track or more"),
        (#"{"vir": 5}"#, "track vir: the track is 5; it must be an object with total_m and sectors"),
        (
            #"{"vir": {"sectors": []}}"#, "track vir: total_m is missing; it must be a number of metres"
        ),
        (
            #"{"vir": {"total_m": "long", "sectors": []}}"#,
            "track vir: total_m is \"long\"; it must be a number of metres"
        ),
        (
            #"{"vir": {"total_m": -1, "sectors": []}}"#,
            "track vir: total_m is -1; it must be above 0 and at most 100000 m"
        ),
        (
            #"{"vir": {"total_m": 9, "sectors": []}}"#,
            "track vir: sectors is an array of 0; it must be an array of 1 to 64 sectors"
        ),
        (
            #"{"vir": {"total_m": 9, "sectors": [{"start_m": 0, "end_m": 5}, {"start_m": 4, "end_m": 9}]}}"#,
            "track vir: sectors[1].start_m is 4; it must be at least 5.0 m, where the one before ends"
        ),
        (
            #"{"vir": {"total_m": 9, "sectors": [{"start_m": 0, "end_m": 10}]}}"#,
            "track vir: sectors[0].end_m is 10; it must be above start_m and at most total_m (9.0 m)"
        ),
        (
            #"{"vir": {"total_m": 9, "sectors": [{"start_m": 0}]}}"#,
            "track vir: sectors[0].end_m is missing; it must be a number of metres"
        ),
    ])
    func `a wrong table is refused with track, field, value and what is right`(json: String, message: String) {
        #expect { try TrackTable.parse(json.utf8) } throws: { "\($0)" == message }
    }

    @Test func `what is not JSON is refused as such`() {
        #expect(throws: TrackTableError.self) { try TrackTable.parse("{\"barber\"".utf8) }
    }
}
