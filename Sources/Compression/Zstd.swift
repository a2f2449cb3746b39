import CZstd

/// Zstandard frames in memory.
package enum Zstd {
    /// - Parameter level: 1 (fast) ... 19 (small).
    package static func compress(_ bytes: [UInt8], level: Int = 3) -> [UInt8] {
        Compressor(level: level).compress(bytes)
    }

    /// - Parameter limit: bytes that the content may have, so that a damaged length cannot take all memory.
    package static func decompress(_ bytes: some ContiguousBytesSource, limit: Int) throws(ZstdError) -> [UInt8] {
        try Decompressor().decompress(bytes, limit: limit)
    }

    /// Keeps its working memory between uses, which matters when what is compressed is small. For one thread at a time.
    ///
    /// `@unchecked Sendable`: the context is the only state; its owner lets one thread at a time use it.
    package final class Compressor: @unchecked Sendable {
        private let context: OpaquePointer

        package init(level: Int = 3) {
            guard let context = ZSTD_createCCtx() else { preconditionFailure("no memory for a zstd context") }
            self.context = context
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        }

        deinit { ZSTD_freeCCtx(context) }

        package func compress(_ bytes: [UInt8]) -> [UInt8] {
            let bound = ZSTD_compressBound(bytes.count)
            return [UInt8](unsafeUninitializedCapacity: bound) { output, count in
                let size = ZSTD_compress2(context, output.baseAddress, bound, bytes, bytes.count)
                precondition(ZSTD_isError(size) == 0, "zstd cannot compress into a buffer of its own bound")
                count = size
            }
        }
    }

    /// For one thread at a time, like `Compressor`.
    package final class Decompressor: @unchecked Sendable {
        private let context: OpaquePointer

        package init() {
            guard let context = ZSTD_createDCtx() else { preconditionFailure("no memory for a zstd context") }
            self.context = context
        }

        deinit { ZSTD_freeDCtx(context) }

        package func decompress(
            _ bytes: some ContiguousBytesSource, limit: Int
        ) throws(ZstdError) -> [UInt8] {
            try bytes.withUnsafeBytes { unpack($0, limit: limit) }.get()
        }

        package func decompress(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(ZstdError) -> [UInt8] {
            try unpack(bytes, limit: limit).get()
        }

        private func unpack(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Result<[UInt8], ZstdError> {
            let size = ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
            // The two largest values stand for "not said" and "not zstd"; we always say.
            guard size < UInt64.max - 1 else { return .failure(.corrupt(reason: "no zstd frame with its size")) }
            guard size <= UInt64(limit) else { return .failure(.tooLarge(size: size, limit: limit)) }
            let expected = Int(size)
            var code = 0
            let output = [UInt8](unsafeUninitializedCapacity: max(1, expected)) { output, count in
                code = ZSTD_decompressDCtx(context, output.baseAddress, expected, bytes.baseAddress, bytes.count)
                count = ZSTD_isError(code) == 0 ? code : 0
            }
            guard ZSTD_isError(code) == 0 else {
                return .failure(.corrupt(reason: String(cString: ZSTD_getErrorName(code))))
            }
            guard output.count == expected else { return .failure(.corrupt(reason: "shorter than it says")) }
            return .success(output)
        }
    }
}

/// Bytes in one piece that can be borrowed without copying.
package protocol ContiguousBytesSource {
    func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value
}
extension Array: ContiguousBytesSource where Element == UInt8 {}
extension ArraySlice: ContiguousBytesSource where Element == UInt8 {}

/// Why bytes are not what a zstd frame holds.
package enum ZstdError: Error, Equatable, CustomStringConvertible {
    case corrupt(reason: String)
    case tooLarge(size: UInt64, limit: Int)

    package var description: String {
        switch self {
        case .corrupt(let reason): "the compressed bytes are damaged: \(reason)"
        case .tooLarge(let size, let limit): "\(size) bytes when unpacked, \(limit) are allowed"
        }
    }
}
