import JSON
import Telemetry
import Testing

@Suite struct RecordEncoderTests {
    @Test(arguments: 0..<300 as Range<UInt64>)
    func `a record that is encoded and decoded is the same record`(seed: UInt64) throws {
        var random = SplitMix(seed)
        let original = AnyRecord(using: &random)
        var json = JSONWriter()
        original.withRecord { RecordEncoder.encode($0, into: &json) }
        let decoded = try decodeJSON(String(decoding: json.bytes, as: UTF8.self))
        #expect(decoded.refusals.isEmpty)
        var expected = original.seen
        expected.original = String(decoding: json.bytes, as: UTF8.self)
        #expect(decoded.records == [expected])
        _ = try JSONValue.parse(json.bytes)
    }

    @Test func `times keep their microseconds`() throws {
        var json = JSONWriter()
        json.preciseTimestamp(Timestamp(microseconds: 1_757_184_041_926_005))
        json.preciseTimestamp(Timestamp(microseconds: 1_757_184_041_926_000))
        json.preciseTimestamp(Timestamp(microseconds: -1))
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == "\"2025-09-06T18:40:41.926005Z\"\"2025-09-06T18:40:41.926Z\"\"1969-12-31T23:59:59.999999Z\"")
    }

    @Test func `a flush is a control record and nothing else is`() throws {
        let read: ([UInt8]) -> ControlRecord? = { $0.withUnsafeBytes { ControlRecord.parse($0) } }
        #expect(read(ControlRecord.flush.bytes) == .flush)
        #expect(read(Array("{\"slipstream\":\"flash\"}".utf8)) == nil)
        #expect(read([]) == nil)
        #expect(try decodeJSON(String(decoding: ControlRecord.flush.bytes, as: UTF8.self)).records.isEmpty)
    }
}

/// A record that owns its texts.
private struct AnyRecord {
    var shape: Record.Shape
    var texts: [String]
    var metaTime: Timestamp?
    var carTime: Timestamp?
    var lap: Lap?
    var channels = ChannelValues()
    var extras: [(String, Double)] = []

    init(using random: inout SplitMix) {
        shape = random.below(2) == 0 ? .wide : .long
        let isLong = shape == .long
        let id = ["GR86-002-000", "A", "日本 \"7\"", "a\\b/c", "x,y"][random.below(5)]
        let track = ["", "barber", "I_R06_2025-09-07"][random.below(3)]
        texts = [id, track, isLong && random.below(2) == 0 ? "R1" : "", isLong && random.below(2) == 0 ? "0" : ""]
        metaTime = random.below(3) == 0 ? nil : AnyRecord.time(&random)
        carTime = random.below(3) == 0 ? nil : AnyRecord.time(&random)
        lap = random.below(4) == 0 ? nil : Lap(random.below(32_768))
        if isLong {
            if random.below(4) == 0 {
                extras = [("oil \"temp\"", AnyRecord.number(&random))]
            } else {
                channels[Channel.allCases[random.below(13)]] = AnyRecord.number(&random)
            }
            return
        }
        for channel in Channel.allCases where random.below(2) == 0 { channels[channel] = AnyRecord.number(&random) }
        for index in 0..<random.below(5) { extras.append(("extra_\(index)", AnyRecord.number(&random))) }
    }

    private static func time(_ random: inout SplitMix) -> Timestamp {
        let step: Int64 = random.below(2) == 0 ? 1 : 1_000
        return Timestamp(microseconds: Int64(random.below(3_000_000_000)) * 1_000_000 + 946_684_800_000_000)
            + Int64(random.below(999)) * step
    }

    private static func number(_ random: inout SplitMix) -> Double {
        switch random.below(6) {
        case 0: Double(random.below(200_000) - 100_000) / 1_000
        case 1: Double(random.below(10_000))
        case 2: 0.1 + 0.2
        case 3: Double.random(in: -1e-300...1e-300, using: &random)
        case 4: Double.random(in: -1e300...1e300, using: &random)
        default: Double.random(in: -90...90, using: &random)
        }
    }

    func withRecord(_ body: (borrowing Record) -> Void) {
        let bytes = texts.map { Array($0.utf8) } + extras.map { Array($0.0.utf8) }
        withPointers(bytes[...], []) { pointers in
            var record = Record()
            record.shape = shape
            record.chassis = pointers[0]
            record.track = pointers[1]
            record.session = pointers[2]
            record.outing = pointers[3]
            record.metaTime = metaTime
            record.carTime = carTime
            record.lap = lap
            record.channels = channels
            for (index, extra) in extras.enumerated() {
                record.extras.append(ExtraChannel(name: pointers[4 + index], value: extra.1))
            }
            body(record)
        }
    }

    var seen: Seen {
        var seen = Seen(0, Record())
        withRecord { seen = Seen(0, $0) }
        return seen
    }
}

private func withPointers(
    _ bytes: ArraySlice<[UInt8]>, _ pointers: [UnsafeRawBufferPointer], _ body: ([UnsafeRawBufferPointer]) -> Void
) {
    guard let first = bytes.first else { return body(pointers) }
    first.withUnsafeBytes { withPointers(bytes.dropFirst(), pointers + [$0], body) }
}

private func + (time: Timestamp, microseconds: Int64) -> Timestamp {
    Timestamp(microseconds: time.microseconds + microseconds)
}
