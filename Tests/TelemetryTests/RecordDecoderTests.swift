import Telemetry
import Testing

@Suite struct RecordDecoderTests {
    static let wide = """
        {"meta_time":"2025-09-06T18:40:41.926Z","track":"barber","chassis":"GR86-002-000","lap":2,"lapdist_m":1204.5,\
        "speed_kmh":131.2,"accx_can":0.34600000000000003,"accy_can":-0.074,"Steering_Angle":-5.1,"pbrake_f":0,\
        "rpm":6100,"oil_temp":98.5,"driver":"A","flags":[1,2],"wet":false,"note":null}
        """
    static let long = """
        {"telemetry_name":"speed","telemetry_value":131.2,"vehicle_id":"GR86-002-000","lap":32768,\
        "timestamp":"2025-09-05T00:28:20.593Z","meta_time":"","meta_event":"I_R06_2025-09-07","meta_session":"R1",\
        "outing":0,"vehicle_number":0}
        """

    @Test func `a wide record is read with its channels, its extras and its original bytes`() throws {
        let decoded = try decodeJSON(" \(Self.wide)\n")
        let record = try #require(decoded.records.first)
        #expect(decoded.refusals.isEmpty)
        #expect(record.shape == .wide)
        #expect(record.chassis == "GR86-002-000")
        #expect(record.track == "barber")
        #expect(record.metaTime == "2025-09-06T18:40:41.926Z")
        #expect(record.lap == 2)
        #expect(record.channels[.accelerationX] == 0.34600000000000003)
        #expect(record.channels[.engineSpeed] == 6_100)
        #expect(record.channels[.gear] == nil)
        #expect(record.extras == ["oil_temp": 98.5])
        #expect(record.original == Self.wide)
    }

    @Test func `a long record has one channel under our name for it`() throws {
        let record = try #require(try decodeJSON(Self.long).records.first)
        #expect(record.shape == .long)
        #expect(record.channels[.speed] == 131.2)
        #expect(record.channels.count == 1)
        #expect(record.extras.isEmpty)
        #expect(record.metaTime == nil)
        #expect(record.carTime == "2025-09-05T00:28:20.593Z")
        #expect(record.lap == nil, "32768 is no lap")
        #expect(record.track == "I_R06_2025-09-07")
        #expect(record.session == "R1")
        #expect(record.outing == "0")
    }

    @Test func `good elements of a batch are accepted and bad ones refused by index`() throws {
        let decoded = try decodeJSON("[\(Self.wide), {\"chassis\":\"A\",\"rpm\":NaN}, 7, \(Self.long), {\"rpm\":1}]")
        #expect(decoded.records.map(\.index) == [0, 3])
        #expect(decoded.records.map(\.original) == [Self.wide, Self.long])
        #expect(decoded.refusals.mapValues(\.reason) == [1: .notFinite, 2: .notAnObject, 4: .missing])
        #expect(decoded.refusals[1]?.field == "rpm")
        #expect(decoded.refusals[1]?.value == "NaN")
    }

    @Test(arguments: [
        (#"{"chassis":"A","rpm":"1"}"#, Refusal.Reason.notANumber, "rpm"),
        (#"{"chassis":"A","rpm":true}"#, .notANumber, "rpm"),
        (#"{"chassis":"A","rpm":[1]}"#, .notANumber, "rpm"),
        (#"{"chassis":"A","rpm":Infinity}"#, .notFinite, "rpm"),
        (#"{"chassis":"A","rpm":-Infinity}"#, .notFinite, "rpm"),
        (#"{"chassis":"A","rpm":1e999}"#, .notFinite, "rpm"),
        (#"{"chassis":"A","rpm":01}"#, .notJSON, "rpm"),
        (#"{"chassis":"A","other":nope}"#, .notJSON, "other"),
        (#"{"chassis":"A","deep":{"deeper":[1,NaN]}}"#, .notFinite, "deep"),
        (#"{"chassis":"A","lap":"1"}"#, .notANumber, "lap"),
        (#"{"chassis":"A","lap":-1}"#, .outOfRange, "lap"),
        (#"{"chassis":"A","lap":32769}"#, .outOfRange, "lap"),
        (#"{"chassis":"A","lap":1.5}"#, .outOfRange, "lap"),
        (#"{"chassis":"","rpm":1}"#, .missing, "chassis"),
        (#"{"chassis":null,"rpm":1}"#, .missing, "chassis"),
        (#"{"chassis":7,"rpm":1}"#, .notText, "chassis"),
        (#"{"chassis":"A\u0000","rpm":1}"#, .outOfRange, "chassis"),
        (#"{"chassis":"A","track":7}"#, .notText, "track"),
        (#"{"chassis":"A","meta_time":"yesterday"}"#, .badTime, "meta_time"),
        (#"{"chassis":"A","meta_time":1757184041926}"#, .badTime, "meta_time"),
        (#"{"chassis":"A","meta_time":"1999-12-31T23:59:59Z"}"#, .badTime, "meta_time"),
        (#"{"chassis":"A","timestamp":"2100-01-01T00:00:01Z"}"#, .badTime, "timestamp"),
        (#"{"vehicle_id":"A","telemetry_name":"speed"}"#, .missing, "telemetry_value"),
        (#"{"vehicle_id":"A","telemetry_name":"speed","telemetry_value":"fast"}"#, .notANumber, "telemetry_value"),
        (#"{"vehicle_id":"A","telemetry_name":"speed","telemetry_value":"nan"}"#, .notFinite, "telemetry_value"),
        (#"{"vehicle_id":"A","telemetry_name":"speed","telemetry_value":[1]}"#, .notANumber, "telemetry_value"),
        (#"{"vehicle_id":"A","telemetry_name":"lap","telemetry_value":1}"#, .outOfRange, "telemetry_name"),
        (#"{"vehicle_id":"A","telemetry_name":7,"telemetry_value":1}"#, .notText, "telemetry_name"),
        (#"{"telemetry_name":"speed","telemetry_value":1}"#, .missing, "vehicle_id"),
        (#"{"slipstream":"flush"}"#, .missing, "chassis"),
        (#"{"\ud800":1,"chassis":"A"}"#, .notJSON, "record"),
    ])
    func `a bad record is refused with its field and the reason`(
        record: String, reason: Refusal.Reason, field: String
    ) throws {
        let decoded = try decodeJSON("[\(record),{\"chassis\":\"good\"}]")
        #expect(decoded.refusals[0]?.reason == reason)
        #expect(decoded.refusals[0]?.field == field)
        #expect(decoded.records.map(\.chassis) == ["good"])
    }

    @Test(arguments: [
        #"{"vehicle_id":"A","rpm":1}"#, #"{"chassis":"A","rpm":null}"#, #"{"chassis":"A"}"#,
        #"{"chassis":"A","rpm":"x","rpm":1}"#, #"{"chassis":"A","lap":3.0}"#, #"{"chassis":"A","meta_time":null}"#,
        #"{"chassis":"A","telemetry_name":"speed","telemetry_value":"1.5","rpm":"x"}"#,
        #"{"chassis":"A","telemetry_name":"","rpm":1}"#, #"{"chassis":"A","telemetry_value":"x"}"#,
    ])
    func `an unusual record is accepted`(record: String) throws {
        let decoded = try decodeJSON(record)
        #expect(decoded.records.first?.chassis == "A", "\(decoded.refusals)")
    }

    @Test func `of fields with the same name the last counts`() throws {
        let record = try decodeJSON(#"{"chassis":"A","rpm":1,"x":1,"y":1,"chassis":"B","rpm":2,"x":3,"y":"no"}"#)
            .records[0]
        #expect(record.chassis == "B")
        #expect(record.channels[.engineSpeed] == 2)
        #expect(record.extras == ["x": 3])
    }

    @Test(arguments: ["", "x", "[", "{\"chassis\":\"A\"} {}", "{\"chassis\":\"A\",}", "[{\"chassis\":\"A\"}"])
    func `a body that is not JSON is refused as a whole`(body: String) {
        #expect { try decodeJSON(body) } throws: { ($0 as? Refusal)?.reason == .notJSON }
    }

    @Test func `a record over 64 KiB is refused and its neighbours are not`() throws {
        let padding = String(repeating: "x", count: Limits.recordBytes)
        let decoded = try decodeJSON(#"[{"chassis":"A"},{"chassis":"B","note":"\#(padding)"},{"chassis":"C"}]"#)
        #expect(decoded.records.map(\.chassis) == ["A", "C"])
        #expect(decoded.refusals[1]?.reason == .tooLarge)
    }

    @Test func `an id over its limit is refused`() throws {
        let id = String(repeating: "x", count: Limits.idBytes + 1)
        #expect(try decodeJSON(#"{"chassis":"\#(id)"}"#).refusals[0]?.reason == .tooLarge)
        #expect(try decodeJSON(#"{"chassis":"\#(id.dropLast())"}"#).records.count == 1)
    }

    @Test func `a decoder carries nothing from one body to the next`() throws {
        let decoder = RecordDecoder()
        let first = try decodeJSON(Self.wide, with: decoder).records
        _ = try decodeJSON(#"[{"chassis":"B","zzz":4}, {"lap":1}]"#, with: decoder)
        #expect(throws: Refusal.self) { try decodeJSON("{", with: decoder) }
        #expect(try decodeJSON(Self.wide, with: decoder).records == first)
        #expect(try decodeJSON(#"{"chassis":"C"}"#, with: decoder).records[0].channels.isEmpty)
    }
}
