import CSimdJSON

/// Single numbers, read and written as JSON has them.
package enum JSONNumber {
    /// Reads a text that is one JSON number and nothing else; `nil` when it is not, or is beyond a `Double`.
    package static func parse(_ text: UnsafeRawBufferPointer) -> Double? {
        var number = 0.0
        guard csj_parse_number(text.bindMemory(to: UInt8.self).baseAddress, text.count, &number) else { return nil }
        return number
    }

    /// Appends the shortest decimal that reads back as the same number, which must be finite.
    package static func append(_ number: Double, to bytes: inout [UInt8]) {
        precondition(number.isFinite, "JSON has no \(number)")
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
            guard let start = text.baseAddress else { return }
            let count = csj_format_number(number, start)
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
        }
    }
}
