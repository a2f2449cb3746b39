import Telemetry

/// Lines without a header, as they come by UDP.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLine(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    LineDecoder().decode(input) { _, record in
        precondition(!record.chassis.isEmpty, "a record without a chassis")
    } refused: { _, _ in
    }
    return 0
}
