/// What the name of a field means, in any of the shapes.
struct Field: Equatable {
    let rawValue: UInt8

    static let lap = Field(rawValue: 16)
    static let chassis = Field(rawValue: 17)
    static let vehicleID = Field(rawValue: 18)
    static let track = Field(rawValue: 19)
    static let metaEvent = Field(rawValue: 20)
    static let metaTime = Field(rawValue: 21)
    static let timestamp = Field(rawValue: 22)
    static let telemetryName = Field(rawValue: 23)
    static let telemetryValue = Field(rawValue: 24)
    static let session = Field(rawValue: 25)
    static let outing = Field(rawValue: 26)
    static let other = Field(rawValue: 31)

    static func channel(_ channel: Channel) -> Field { Field(rawValue: channel.rawValue) }

    /// Its `rawValue` is the channel's.
    @inline(__always) var isChannel: Bool { rawValue < 16 }
    var channel: Channel? { isChannel ? Channel(rawValue: rawValue) : nil }
    @inline(__always) var bit: UInt32 { 1 << UInt32(rawValue) }

    static let named: [(name: String, field: Field)] = [
        ("lap", .lap), ("chassis", .chassis), ("vehicle_id", .vehicleID), ("track", .track),
        ("meta_event", .metaEvent), ("meta_time", .metaTime), ("timestamp", .timestamp),
        ("telemetry_name", .telemetryName), ("telemetry_value", .telemetryValue), ("meta_session", .session),
        ("outing", .outing),
    ]
}

/// Finds the field of a name without hashing strings or allocating: a small open table keyed by the name's length,
/// first and last eight bytes.
struct FieldTable {
    private struct Slot {
        var first: UInt64 = 0
        var last: UInt64 = 0
        var count = 0
        var field = Field.other
        /// Compared only beyond sixteen bytes.
        var name: [UInt8] = []
    }

    private static let size = 256
    private var slots = [Slot](repeating: Slot(), count: FieldTable.size)

    init() {
        for (name, field) in Field.named { insert(name, field) }
        for channel in Channel.allCases {
            insert(channel.name, .channel(channel))
            for alias in channel.description.aliases { insert(alias, .channel(channel)) }
        }
    }

    private mutating func insert(_ name: String, _ field: Field) {
        let bytes = Array(name.utf8)
        bytes.withUnsafeBytes { text in
            let (first, last) = ends(of: text)
            var index = FieldTable.hash(first, last, text.count)
            while slots[index].count > 0 { index = (index + 1) % FieldTable.size }
            slots[index] = Slot(first: first, last: last, count: text.count, field: field, name: bytes)
        }
    }

    /// - Returns: `.other` for a name that no catalogue has.
    @inline(__always)
    func field(_ name: UnsafeRawBufferPointer) -> Field {
        let (first, last) = ends(of: name)
        var index = FieldTable.hash(first, last, name.count)
        return slots.withUnsafeBufferPointer { slots in
            while slots[index].count > 0 {
                if slots[index].first == first, slots[index].last == last, slots[index].count == name.count,
                    name.count <= 16 || name.elementsEqual(slots[index].name)
                {
                    return slots[index].field
                }
                index = (index + 1) % FieldTable.size
            }
            return .other
        }
    }

    @inline(__always)
    private static func hash(_ first: UInt64, _ last: UInt64, _ count: Int) -> Int {
        let mixed =
            (first ^ (last &* 0x9E37_79B9_7F4A_7C15) ^ UInt64(truncatingIfNeeded: count)) &* 0xC2B2_AE3D_27D4_EB4F
        return Int(truncatingIfNeeded: mixed >> 56)
    }
}

/// The first and last eight bytes; they overlap in a short text, and together with its length tell texts of up to
/// sixteen bytes apart. Reads nothing outside the text.
@inline(__always)
private func ends(of text: UnsafeRawBufferPointer) -> (first: UInt64, last: UInt64) {
    let count = text.count
    if count >= 8 {
        return (
            text.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            text.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        )
    }
    if count >= 4 {
        return (
            UInt64(text.loadUnaligned(fromByteOffset: 0, as: UInt32.self)),
            UInt64(text.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        )
    }
    var word: UInt64 = 0
    for byte in text { word = word << 8 | UInt64(byte) }
    return (word, 0)
}
