import JSON
import Testing

@Suite struct JSONValueTests {
    @Test func `a document is read into a tree`() throws {
        let value = try JSONValue.parse(
            #" {"a": [1, 2.5, "x\n\u00e9\ud83d\ude00", true, false, null], "b": {"c": -3}} "#)
        #expect(value["a"]?[0]?.int == 1)
        #expect(value["a"]?[1]?.double == 2.5)
        #expect(value["a"]?[2]?.string == "x\né😀")
        #expect(value["a"]?[3]?.bool == true)
        #expect(value["a"]?[4] == .bool(false))
        #expect(value["a"]?[5]?.isNull == true)
        #expect(value["a"]?[6] == nil)
        #expect(value["b"]?["c"]?.int == -3)
        #expect(value["b"]?["d"] == nil)
        #expect(value["a"]?.array?.count == 6)
        #expect(value.object?.count == 2)
    }

    @Test(arguments: [
        ("1", JSONValue.integer(1)), ("-0", .integer(0)), ("9223372036854775807", .integer(.max)),
        ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("123456789012345678901234567890", .number(1.2345678901234568e29)), ("1e-400", .number(0)),
        ("0.34600000000000003", .number(0.34600000000000003)), ("\"\"", .string("")), ("[]", .array([])),
        ("{}", .object([:])), ("null", .null), (#"{"a":1,"a":2}"#, .object(["a": .integer(2)])),
        (#""\\""#, .string("\\")), (#""\"""#, .string("\"")), (#"{"a\\b":1}"#, .object(["a\\b": .integer(1)])),
        ("[[],[]]", .array([.array([]), .array([])])), ("12 ", .integer(12)), ("1.5", .number(1.5)),
    ])
    func `right JSON is read`(text: String, expected: JSONValue) throws {
        #expect(try JSONValue.parse(text) == expected)
    }

    @Test(arguments: [
        "", " ", "[", "]", "{", "}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:2}", "[1 2]",
        "1 2", "[1}", "1..2", "1.2.3", "-", "-.5", "00", "-01", "00.5", "1-2", "1/2", "1:2", "12a", "1.5a", "0x",
        "{\"a\":1]", "\"a", "\"a\nb\"", "tru", "nul", "True", "NaN", "-Infinity", "Infinity", "01", "1.",
        ".5", "+1", "1e", "1e999", "-1e999", "0x1", "--1", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"",
        "{\"\\ud800\":1}", "\"a\"b", "\"a\"\"b\"", "[\"a\":1]", "{\"a\",1}", "'a'", "//", "[1]x", "1\"a\"", "\u{c}",
        "[1\u{c}2]", "[\u{1a}]", "tru\"e\"",
    ])
    func `what is not JSON is not read as JSON`(text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    }

    @Test func `short numbers are read as the standard library reads them`() throws {
        let digits = ["0", "1", "9", "10", "42", "999", "1234", "65535", "100000", "9999999", "12345678", "123456789"]
        for whole in digits {
            #expect(try JSONValue.parse(whole).int == Int(whole))
            #expect(try JSONValue.parse("-\(whole)").int == -(Int(whole) ?? 0))
            for fraction in ["0", "5", "05", "25", "100", "0625", "30001", "000001", "3000003"] {
                let text = "\(whole).\(fraction)"
                #expect(try JSONValue.parse(text).double == Double(text))
                #expect(try JSONValue.parse("[-\(text) ]")[0]?.double == Double("-\(text)"))
            }
        }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONError(.notUTF8, at: 4)) { try JSONValue.parse([0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test func `an error says where`() {
        #expect(throws: JSONError(.unexpected, at: 6)) { try JSONValue.parse("[1, 2 3]") }
        #expect(throws: JSONError(.invalidValue, at: 4)) { try JSONValue.parse("[1, NaN]") }
        #expect(throws: JSONError(.incomplete, at: 3)) { try JSONValue.parse("[1,") }
        #expect(throws: JSONError(.trailing, at: 3)) { try JSONValue.parse("[] 1") }
    }

    @Test func `nesting is limited to 32 levels`() throws {
        let deepest = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        _ = try JSONValue.parse(deepest)
        #expect(throws: JSONError(.tooDeep, at: 32)) { try JSONValue.parse("[\(deepest)]") }
    }
}
