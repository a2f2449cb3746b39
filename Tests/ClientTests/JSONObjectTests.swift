@testable import Client
import Testing

@Suite struct JSONObjectTests {
    private func object(_ text: String) -> JSONObject {
        let frame = Array("[\(text)]".utf8)
        return JSONObject(frame, 1..<frame.count - 1)
    }

    @Test func `fields are read by name and kind`() {
        let object = object(
            #"{"a":1.5, "b" : -2e3,"text":"x\"y\u00e9","no":null,"yes":true,"in":{"a":7,"s":"}"},"list":[{"n":1},2,{"n":3}]}"#
        )
        #expect(object["a"] == 1.5 && object["b"] == -2_000 && object.integer("b") == -2_000)
        #expect(object["text"] == nil && object["no"] == nil && object["yes"] == nil && object["other"] == nil)
        #expect(object.string("text") == "x\"yé" && object.string("a") == nil)
        #expect(object.object("in")?["a"] == 7 && object.object("in")?.string("s") == "}")
        #expect(object.objects("list")?.map { $0["n"] } == [1, 3])
        #expect(object.names == ["a", "b", "text", "no", "yes", "in", "list"])
    }

    @Test func `a name written with escapes is found`() {
        #expect(object(#"{"sp\u0065ed":3}"#)["speed"] == 3)
    }

    @Test func `an empty object has nothing`() {
        #expect(object("{}")["a"] == nil && object("{ }").names.isEmpty)
    }

    @Test(arguments: ["{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"\\", "{\"a\":[[", ""])
    func `broken text is read without leaving it`(text: String) {
        #expect(object(text)["b"] == nil)
    }

    @Test func `a point knows its time and lap`() {
        let point = TelemetryPoint(
            seq: 3, record: object(#"{"meta_time":"2025-09-06T18:40:41.926Z","lap":32768,"speed_kmh":181.4}"#))
        #expect(point.time == UTCTime("2025-09-06T18:40:41.926Z"))
        #expect(point.lap == nil && point["speed_kmh"] == 181.4)
        #expect(
            TelemetryPoint(seq: 3, record: object(#"{"meta_time":"","timestamp":"2025-09-06T18:40:41Z","lap":4}"#)).lap
                == 4)
    }
}
