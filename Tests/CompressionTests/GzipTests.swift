import CZlib
import Compression
import Glibc
import Testing

@Suite struct GzipTests {
    private let text = (0..<20_000).map { "row \($0), speed \($0 * 7 % 220)\n" }.joined()

    @Test(arguments: [1, 1_000, 1 << 20])
    func `a compressed file is read in pieces of any size`(count: Int) throws {
        let small = count == 1 ? String(text.prefix(2_000)) : text
        let file = TemporaryFile(gzip(small))
        #expect(try read(file, upTo: count) == small)
    }

    @Test func `several members one after the other read as one`() throws {
        let file = TemporaryFile(gzip("first ") + gzip(text) + gzip(""))
        #expect(try read(file) == "first " + text)
    }

    @Test func `a file that is not compressed passes through`() throws {
        let file = TemporaryFile(Array(text.utf8))
        let reader = try Gzip.Reader(file.path)
        #expect(!reader.isCompressed)
        #expect(try read(file) == text)
    }

    @Test func `an empty file has no bytes and no error`() throws {
        #expect(try read(TemporaryFile([])).isEmpty)
    }

    @Test func `a file that is cut off says so after the good part`() throws {
        let whole = gzip(text)
        for length in [10, 11, 500, whole.count / 2, whole.count - 8, whole.count - 1] {
            let file = TemporaryFile(Array(whole.prefix(length)))
            let reader = try Gzip.Reader(file.path)
            var bytes: [UInt8] = []
            #expect(throws: GzipError.truncated(file.path, at: length)) {
                while try reader.read(into: &bytes) > 0 {}
            }
            #expect(text.utf8.starts(with: bytes))
        }
    }

    @Test func `a damaged file says where`() throws {
        var damaged = gzip(text)
        damaged[damaged.count / 2] ^= 0x55
        let file = TemporaryFile(damaged)
        #expect {
            _ = try read(file)
        } throws: { error in
            guard case .corrupt(file.path, let at, _) = error as? GzipError else { return false }
            return at > 0 && at <= damaged.count
        }
    }

    @Test func `a missing file is named with the system's reason`() {
        #expect(throws: GzipError.unreadable("/tmp/none/such.gz", reason: "No such file or directory")) {
            try Gzip.Reader("/tmp/none/such.gz")
        }
    }

    @Test func `progress ends at the size of the file`() throws {
        let file = TemporaryFile(gzip(text))
        let reader = try Gzip.Reader(file.path)
        var bytes: [UInt8] = []
        while try reader.read(into: &bytes, upTo: 4_096) > 0 {}
        #expect(reader.bytesRead == reader.fileBytes)
    }
}

private func read(_ file: TemporaryFile, upTo count: Int = 64 << 10) throws -> String {
    let reader = try withExtendedLifetime(file) { try Gzip.Reader(file.path) }
    var bytes: [UInt8] = []
    while true {
        let before = bytes.count
        let read = try reader.read(into: &bytes, upTo: count)
        #expect(read <= count && bytes.count == before + read)
        if read == 0 { return String(decoding: bytes, as: UTF8.self) }
    }
}

/// One gzip member.
private func gzip(_ text: String) -> [UInt8] {
    var stream = z_stream()
    // 15 + 16: gzip.
    deflateInit2_(
        &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = Array(text.utf8)
    var output = [UInt8](repeating: 0, count: input.count + 1_000)
    let count = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            #expect(deflate(&stream, Z_FINISH) == Z_STREAM_END)
            return output.count - Int(stream.avail_out)
        }
    }
    return Array(output.prefix(count))
}

private final class TemporaryFile {
    let path: String

    init(_ bytes: [UInt8]) {
        var template = Array("/tmp/slipstream-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)
    }

    deinit { unlink(path) }
}
