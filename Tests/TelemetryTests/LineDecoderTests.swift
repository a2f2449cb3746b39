import Telemetry
import Testing

@Suite struct LineDecoderTests {
    @Test func `a whole line is read`() throws {
        let decoded = decodeLine("2025-09-06T18:40:41.926Z,barber,GR86-006-7,3,1204.5,131.2,0.34,-0.07,-5.1,12,6100\n")
        let record = try #require(decoded.records.first)
        #expect(record.shape == .wide)
        #expect(record.chassis == "GR86-006-7")
        #expect(record.track == "barber")
        #expect(record.lap == 3)
        #expect(record.metaTime == "2025-09-06T18:40:41.926Z")
        #expect(record.channels[.lapDistance] == 1204.5)
        #expect(record.channels[.brakeFront] == 12)
        #expect(record.channels[.engineSpeed] == 6_100)
        #expect(record.channels.count == 7)
    }

    @Test func `six fields do, and empty ones are absent`() throws {
        let decoded = decodeLine(",,A,,,131.2\r\n\r\n2025-09-06T18:40:41Z,,B,32768,,1,")
        #expect(decoded.refusals.isEmpty)
        #expect(decoded.records.map(\.chassis) == ["A", "B"])
        #expect(decoded.records[0].metaTime == nil)
        #expect(decoded.records[1].lap == nil)
        #expect(decoded.records[1].channels.count == 1)
    }

    @Test(arguments: [
        (",,A,,1", Refusal.Reason.outOfRange, "line"), (",,A,,1,2,3,4,5,6,7,8", .outOfRange, "line"),
        (",,,1,2,3", .missing, "chassis"), (",,A,x,2,3", .notANumber, "lap"),
        (",,A,1,2,fast", .notANumber, "speed_kmh"),
        (",,A,1,2,NaN", .notFinite, "speed_kmh"), ("noon,,A,1,2,3", .badTime, "meta_time"),
        ("{\"chassis\":\"A\"}", .outOfRange, "line"),
    ])
    func `a bad line is refused`(line: String, reason: Refusal.Reason, field: String) {
        let decoded = decodeLine("\(line)\n,,B,,1,2")
        #expect(decoded.refusals[0]?.reason == reason)
        #expect(decoded.refusals[0]?.field == field)
        #expect(decoded.records.map(\.chassis) == ["B"])
    }
}
