import Telemetry
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("2025-09-06T18:40:41.926Z", "2025-09-06T18:40:41.926Z"),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000Z"),
        ("2025-01-20 00:00:00+02:00", "2025-01-19T22:00:00.000Z"),
        ("2025-01-20T00:00:00.123456789", "2025-01-20T00:00:00.123Z"),
        ("1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.500Z"),
    ])
    func `a time that is written and read again is the same instant`(text: String, expected: String) throws {
        let time = try #require(Timestamp(iso8601: text))
        #expect(time.iso8601 == expected)
        #expect(Timestamp(iso8601: time.iso8601)?.iso8601 == expected)
    }

    @Test(arguments: [
        "", "yesterday", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-01-01T24:00:00Z", "2025-01-01",
        "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00+1", "2025-01-01T00:00:00Zz", "2025-1-1T00:00:00Z",
    ])
    func `what is not a time is not read as one`(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }
}
