/// Bytes at an address that stays the same for the life of the object, so that slices of them may be kept beside it.
final class StableBytes {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(capacity: Int) { memory = .allocate(byteCount: capacity, alignment: 8) }
    deinit { memory.deallocate() }

    var capacity: Int { memory.count }

    func removeAll() { count = 0 }

    func append(_ byte: UInt8) {
        memory[count] = byte
        count += 1
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Valid while the object lives.
    func slice(from start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[start..<count])
    }
}
