import Telemetry

/// Finds a stream's number by the bytes of its id, without making a `String` of them.
///
/// Open addressing with linear probing; never shrinks, for streams are never forgotten while a replica lives.
struct StreamIndex {
    private var slots: [Int32] = Array(repeating: -1, count: 64)
    private var ids: [[UInt8]] = []

    var count: Int { ids.count }

    func number(of id: UnsafeRawBufferPointer) -> Int? {
        var slot = Int(truncatingIfNeeded: StableHash.hash(id)) & (slots.count - 1)
        while slots[slot] >= 0 {
            let number = Int(slots[slot])
            if ids[number].count == id.count, ids[number].withUnsafeBytes({ $0.elementsEqual(id) }) { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Gives `id`, which must be new, the next number.
    mutating func insert(_ id: UnsafeRawBufferPointer) -> Int {
        ids.append(Array(id))
        if ids.count * 2 > slots.count { grow() } else { place(ids.count - 1) }
        return ids.count - 1
    }

    private mutating func place(_ number: Int) {
        var slot = Int(truncatingIfNeeded: StableHash.hash(ids[number])) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(number)
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        for number in ids.indices { place(number) }
    }
}
