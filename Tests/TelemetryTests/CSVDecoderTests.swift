import Telemetry
import Testing

@Suite struct CSVDecoderTests {
    static let header =
        "expire_at,lap,meta_event,meta_session,meta_source,meta_time,original_vehicle_id,outing,telemetry_name,"
        + "telemetry_value,timestamp,vehicle_id,vehicle_number"
    static let row =
        ",2,I_R06_2025-09-07,R1,kafka:gr-raw,2025-09-06T18:40:41.926Z,GR86-002-000,0,accx_can,0.34600000000000003,"
        + "2025-09-05T00:28:20.593Z,GR86-002-000,0"

    @Test func `the original format is read, with CRLF, a byte order mark and float noise (12)`() throws {
        let decoded = try decodeCSV("\u{FEFF}\(Self.header)\r\n\(Self.row)\r\n")
        let record = try #require(decoded.records.first)
        #expect(record.index == 2)
        #expect(record.shape == .long)
        #expect(record.chassis == "GR86-002-000")
        #expect(record.track == "I_R06_2025-09-07")
        #expect(record.session == "R1")
        #expect(record.outing == "0")
        #expect(record.lap == 2)
        #expect(record.channels[.accelerationX] == 0.34600000000000003)
        #expect(record.channels.count == 1)
        #expect(record.extras.isEmpty)
        #expect(record.metaTime == "2025-09-06T18:40:41.926Z")
        #expect(record.carTime == "2025-09-05T00:28:20.593Z")
    }

    @Test(arguments: [1, 2, 3, 7, 50, 1_000])
    func `chunks may end anywhere`(chunk: Int) throws {
        let body = "\(Self.header)\r\n" + (0..<20).map { _ in "\(Self.row)\r\n" }.joined() + Self.row
        let decoded = try decodeCSV(body, chunk: chunk)
        #expect(decoded.records.count == 21)
        #expect(decoded.records.map(\.index) == Array(2...22))
        #expect(decoded.refusals.isEmpty)
    }

    @Test func `wide columns come in any order, quoted or not, with blanks, gaps and more numbers`() throws {
        let decoded = try decodeCSV(
            """
            "rpm", chassis ,"speed_kmh",driver,oil_temp,lap,note
            6100,A,131.2,"Ann ""The"" Ace",98.5,2,x

              \t
            ,"B, of course",,,,32768,
            "1"
            7,C,,Bob,nope
            """)
        #expect(decoded.records.map(\.chassis) == ["A", "B, of course", "C"])
        #expect(decoded.records[0].channels[.engineSpeed] == 6_100)
        #expect(decoded.records[0].channels[.speed] == 131.2)
        #expect(decoded.records[0].extras == ["oil_temp": 98.5])
        #expect(decoded.records[0].lap == 2)
        #expect(decoded.records[1].channels.isEmpty)
        #expect(decoded.records[1].lap == nil)
        #expect(decoded.refusals.mapValues(\.reason) == [6: .missing])
        #expect(decoded.records.map(\.index) == [2, 5, 7])
    }

    @Test(arguments: [
        ("1,A,x", Refusal.Reason.notANumber, "rpm"), ("1,A,nan", .notFinite, "rpm"), ("1,A,-Inf", .notFinite, "rpm"),
        ("1,A,1e999", .notFinite, "rpm"), ("1,,5", .missing, "chassis"), ("-1,A,5", .outOfRange, "lap"),
        ("x,A,5", .notANumber, "lap"), ("1,A,5,6", .outOfRange, "line"), ("1,\"A,5", .notText, "line"),
        ("1,\"A\"x,5", .notText, "line"), ("1,A\u{1},5", .outOfRange, "chassis"), ("1,A,1 2", .notANumber, "rpm"),
        ("1,A,[1]", .notANumber, "rpm"), ("1,A,0x10", .notANumber, "rpm"),
    ])
    func `a bad line is refused by its number and the next is read`(
        line: String, reason: Refusal.Reason, field: String
    ) throws {
        let decoded = try decodeCSV("lap,chassis,rpm\n\(line)\n1,B,5\n")
        #expect(decoded.refusals[2]?.reason == reason)
        #expect(decoded.refusals[2]?.field == field)
        #expect(decoded.records.map(\.chassis) == ["B"])
    }

    @Test(arguments: ["", "\n\n", "lap,rpm\n1,2\n", "\"chassis\n"])
    func `without a header that names a chassis nothing is read`(body: String) {
        #expect(throws: Refusal.self) { try decodeCSV(body) }
    }

    @Test(arguments: [100, 1 << 20])
    func `a line over 64 KiB is refused once and the next is read`(chunk: Int) throws {
        let giant = String(repeating: "x", count: Limits.recordBytes + 200)
        let decoded = try decodeCSV("chassis,rpm\nA,1\n\(giant)\nB,2\n", chunk: chunk)
        #expect(decoded.records.map(\.chassis) == ["A", "B"])
        #expect(decoded.records.map(\.index) == [2, 4])
        #expect(decoded.refusals.mapValues(\.reason) == [3: .tooLarge])
    }

    @Test func `a line that is not UTF-8 is refused`() throws {
        var refused: [Int] = []
        var records = 0
        let bytes = Array("chassis,rpm\n".utf8) + [0x41, 0xFF, 0x2C, 0x31, 0x0A] + Array("B,1\n".utf8)
        try bytes.withUnsafeBytes { raw in
            try CSVDecoder().feed(raw) { _, _ in
                records += 1
            } refused: { line, _ in
                refused.append(line)
            }
        }
        #expect(refused == [2])
        #expect(records == 1)
    }
}
