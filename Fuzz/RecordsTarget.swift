import JSON
import Telemetry

/// JSON bodies. What is accepted must be encoded and decoded to as many channels again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRecords(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    let again = RecordDecoder()
    var json = JSONWriter()
    let check: (Int, borrowing Record) -> Void = { _, record in
        json.removeAll()
        RecordEncoder.encode(record, into: &json)
        let expected = record.channels
        let extras = record.extras.count
        var isSame = false
        json.bytes.withUnsafeBytes { bytes in
            try? again.decodeJSON(bytes) { _, copy in
                isSame = copy.channels == expected && copy.extras.count == extras
            } refused: { _, refusal in
                // Escapes are longer than what they stand for, so that a record near the limit may pass it.
                isSame = refusal.reason == .tooLarge
            }
        }
        precondition(isSame, "encoded and decoded it is another record")
    }
    var assembler = PointAssembler()
    try? RecordDecoder().decodeJSON(input) { index, record in
        check(index, record)
        precondition(!record.original.isEmpty, "a record without its bytes")
        assembler.add(record, logTime: Timestamp(microseconds: 0)) { _, bytes in
            precondition((try? JSONValue.parse(bytes)) != nil, "a point's bytes are not JSON")
        }
    } refused: { _, _ in
    }
    return 0
}
