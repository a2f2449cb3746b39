import Telemetry

/// CSV with a header, in chunks whose size the first byte gives: it must not matter.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCSV(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    guard let first = input.first else { return 0 }
    let body = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    precondition(lines(of: body, chunk: body.count) == lines(of: body, chunk: Int(first) + 1), "chunks matter")
    return 0
}

/// The accepted lines as positive numbers, the refused ones as negative; ends at a bad header.
private func lines(of body: UnsafeRawBufferPointer, chunk: Int) -> [Int] {
    let decoder = CSVDecoder()
    var lines: [Int] = []
    var rest = body
    do throws(Refusal) {
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(chunk))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(chunk))
            try decoder.feed(part) { line, _ in
                lines.append(line)
            } refused: { line, _ in
                lines.append(-line)
            }
        }
        try decoder.finish { line, _ in
            lines.append(line)
        } refused: { line, _ in
            lines.append(-line)
        }
    } catch {
        lines.append(0)
    }
    return lines
}
