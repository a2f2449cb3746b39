import JSON
import Telemetry
import Testing

@Suite struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        body(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (1, "1"), (-17, "-17"), (0.1, "0.1"), (0.34600000000000003, "0.34600000000000003"),
        (131.2, "131.2"), (-86.61963653564453, "-86.61963653564453"), (1e21, "1e+21"), (1e-7, "1e-07"),
        (9_007_199_254_740_991, "9007199254740991"), (.nan, "null"), (.infinity, "null"),
        (.leastNonzeroMagnitude, "5e-324"),
    ])
    func `numbers are written as short as they read back`(number: Double, expected: String) {
        #expect(written { $0.number(number) } == expected)
    }

    @Test(arguments: 0..<500 as Range<UInt64>)
    func `any number that is written reads back the same`(seed: UInt64) throws {
        var random = SplitMix(seed)
        let number = Double(bitPattern: random.next())
        guard number.isFinite else { return }
        #expect(try JSONValue.parse(written { $0.number(number) }).double == number)
    }

    @Test(arguments: [
        (1.25, 1, "1.3"), (-1.25, 1, "-1.3"), (0.0005, 3, "0.001"), (2, 3, "2"), (1.10, 3, "1.1"), (0.999, 2, "1"),
        (-0.001, 2, "0"), (1e300, 3, "1e+300"), (12.345678, 9, "12.345678"),
    ])
    func `decimals are rounded half away from zero`(number: Double, decimals: Int, expected: String) {
        #expect(written { $0.number(number, decimals: decimals) } == expected)
    }

    @Test func `strings are escaped so that they read back the same`() throws {
        let text = "a\"b\\c/\u{0}\u{1f}\n\t\u{7f}é😀\u{2028}"
        #expect(try JSONValue.parse(written { $0.string(text) }).string == text)
        #expect(written { $0.string("\n\"") } == #""\u000a\"""#)
    }

    @Test(arguments: [Int64.min, -1, 0, 9, 10, 99, 100, .max])
    func `integers are written in full`(integer: Int64) {
        #expect(written { $0.integer(integer) } == "\(integer)")
    }

    @Test func `the largest integer of all is written`() {
        #expect(written { $0.integer(UInt64.max) } == "18446744073709551615")
    }
}
