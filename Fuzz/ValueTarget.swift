import JSON

/// JSON as a tree.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzValue(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    if let value = try? JSONValue.parse(input) { precondition(value == value, "a value that is not itself") }
    return 0
}
