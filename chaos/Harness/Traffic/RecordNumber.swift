/// The number that our publishers write into each record, and whose run it is: additional channels at its beginning.
package enum RecordNumber {
    private static let head = Array("{\"chaos_n\":".utf8)
    private static let middle = Array(",\"chaos_run\":".utf8)

    /// What stands in place of a record's `{`.
    static func beginning(_ number: UInt32, of run: UInt32) -> [UInt8] {
        head + Array("\(number)".utf8) + middle + Array("\(run),".utf8)
    }

    /// 0 when somebody else published it.
    package static func read(_ json: UnsafeRawBufferPointer, of run: UInt32) -> UInt32 {
        var rest = json[...]
        guard skip(head, &rest), let number = digits(&rest), skip(middle, &rest), digits(&rest) == run else { return 0 }
        return number
    }

    private static func skip(_ text: [UInt8], _ rest: inout Slice<UnsafeRawBufferPointer>) -> Bool {
        guard rest.starts(with: text) else { return false }
        rest = rest.dropFirst(text.count)
        return true
    }

    private static func digits(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UInt32? {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest.dropFirst(digits.count)
        return UInt32(String(decoding: digits, as: UTF8.self))
    }
}
