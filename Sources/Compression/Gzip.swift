import CZlib
import Glibc

/// Files that may be gzip-compressed.
package enum Gzip {
    /// Reads a file from its beginning, piece by piece: memory stays the same whatever its size. A file that is not
    /// gzip is passed through; several gzip members one after the other read as one. For one thread at a time.
    package final class Reader {
        package let path: String
        /// Of the file as it lies on disk; with `bytesRead` it tells how far reading is.
        package let fileBytes: Int
        /// Of the file as it lies on disk.
        package private(set) var bytesRead = 0
        package private(set) var isCompressed = false

        private let descriptor: Int32
        /// zlib keeps its address, so it must not move.
        private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        private var isInsideMember = false
        private var isAtEnd = false

        package init(_ path: String) throws(GzipError) {
            self.path = path
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .unreadable(path, reason: message(errno)) }
            var status = stat()
            fstat(descriptor, &status)
            fileBytes = Int(status.st_size)
            stream.initialize(to: z_stream())
            // 15 + 16: the largest window, gzip only.
            inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            try fill()
            isCompressed = stream.pointee.avail_in >= 2 && input[0] == 0x1F && input[1] == 0x8B
        }

        deinit {
            inflateEnd(stream)
            stream.deallocate()
            input.deallocate()
            close(descriptor)
        }

        /// Appends the next bytes to `buffer`.
        /// - Parameter count: how many at most, at least 1.
        /// - Returns: how many; 0 at the end.
        /// - Throws: `.truncated` or `.corrupt`; what was appended before is good.
        package func read(into buffer: inout [UInt8], upTo count: Int = 256 << 10) throws(GzipError) -> Int {
            let start = buffer.count
            buffer.append(contentsOf: repeatElement(0, count: count))
            var filled = 0
            defer { buffer.removeLast(count - filled) }
            let result = buffer.withUnsafeMutableBytes { bytes in
                Result { () throws(GzipError) in try produce(UnsafeMutableRawBufferPointer(rebasing: bytes[start...])) }
            }
            filled = try result.get()
            return filled
        }
    }
}

extension Gzip.Reader {
    private func produce(_ output: UnsafeMutableRawBufferPointer) throws(GzipError) -> Int {
        var filled = 0
        while filled == 0, try hasInput() {
            let rest = UnsafeMutableRawBufferPointer(rebasing: output[filled...])
            filled += isCompressed ? try inflateSome(rest) : copySome(rest)
        }
        return filled
    }

    /// Whether there is something to work on: bytes of the file, or a member that has more to give.
    private func hasInput() throws(GzipError) -> Bool {
        if stream.pointee.avail_in == 0, !isAtEnd { try fill() }
        if stream.pointee.avail_in > 0 { return true }
        guard !isInsideMember else { throw .truncated(path, at: bytesRead) }
        return false
    }

    private func copySome(_ output: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(output.count, Int(stream.pointee.avail_in))
        output.copyMemory(from: UnsafeRawBufferPointer(start: stream.pointee.next_in, count: count))
        stream.pointee.next_in += count
        stream.pointee.avail_in -= UInt32(count)
        return count
    }

    private func inflateSome(_ output: UnsafeMutableRawBufferPointer) throws(GzipError) -> Int {
        isInsideMember = true
        stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        let code = inflate(stream, Z_NO_FLUSH)
        switch code {
        case Z_STREAM_END:
            isInsideMember = false
            inflateReset(stream)
        case Z_OK, Z_BUF_ERROR: break
        default:
            let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(code)"
            throw .corrupt(path, at: bytesRead - Int(stream.pointee.avail_in), reason: reason)
        }
        return output.count - Int(stream.pointee.avail_out)
    }

    private func fill() throws(GzipError) {
        let count = Glibc.read(descriptor, input.baseAddress, input.count)
        guard count >= 0 else { throw .unreadable(path, reason: message(errno)) }
        isAtEnd = count == 0
        bytesRead += count
        stream.pointee.next_in = input.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_in = UInt32(count)
    }
}

/// Why a file cannot be read on.
package enum GzipError: Error, Equatable, CustomStringConvertible {
    case unreadable(String, reason: String)
    /// It ends in the middle: a copy or download that was cut off.
    case truncated(String, at: Int)
    /// `at`: byte of the file.
    case corrupt(String, at: Int, reason: String)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .truncated(let path, let at): "\(path) ends at byte \(at) before its data do; copy it again"
        case .corrupt(let path, let at, let reason): "\(path) is damaged near byte \(at): \(reason)"
        }
    }
}

private func message(_ code: Int32) -> String { String(cString: strerror(code)) }
