import Telemetry

/// Restores an assembler from the input; what can be restored must be stored the same again and go on.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAssembler(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    let input = Array(UnsafeRawBufferPointer(start: start, count: count))
    var reader = BinaryReader(input)
    guard var assembler = try? PointAssembler(from: &reader) else { return 0 }
    var writer = BinaryWriter()
    assembler.encode(into: &writer)
    precondition(restores(writer.bytes), "what it stores it cannot restore")
    assembler.flush { _, _ in }
    try? Array(#"[{"chassis":"A","rpm":1},{"vehicle_id":"A","telemetry_name":"oil","telemetry_value":2}]"#.utf8)
        .withUnsafeBytes { bytes in
            try RecordDecoder().decodeJSON(bytes) { _, record in
                assembler.add(record, logTime: Timestamp(microseconds: 0)) { _, _ in }
            } refused: { _, _ in
            }
        }
    return 0
}

private func restores(_ bytes: [UInt8]) -> Bool {
    var reader = BinaryReader(bytes)
    guard let assembler = try? PointAssembler(from: &reader), reader.remaining == 0 else { return false }
    var writer = BinaryWriter()
    assembler.encode(into: &writer)
    return writer.bytes == bytes
}
