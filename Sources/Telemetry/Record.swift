/// The lap a record names. TRD's counter sends 32768 (0x8000) while it does not know; that is `nil` here, never a lap.
package typealias Lap = Int32

/// One decoded telemetry record: a wide row with many channels or a long row with one.
///
/// It borrows: texts point into the bytes it was decoded from (or into the decoder's scratch space) and are valid only
/// inside the closure that receives it. Decoding allocates nothing in steady state.
package struct Record {
    package enum Shape: Sendable {
        /// One row, many channels (Pitwall).
        case wide
        /// One row, one channel (TRD `gr-raw`); rows of one instant form a point.
        case long
    }

    package var shape = Shape.wide
    /// Never empty.
    package var chassis = UnsafeRawBufferPointer(start: nil, count: 0)
    /// `track` of a wide row, `meta_event` of a long one; empty when the record names neither.
    package var track = UnsafeRawBufferPointer(start: nil, count: 0)
    /// TRD's `meta_session`, `R1`; empty when the record names none. Only long rows have one.
    package var session = UnsafeRawBufferPointer(start: nil, count: 0)
    /// TRD's `outing`, a number or a text; empty when the record names none. Only long rows have one.
    package var outing = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The receiver's clock.
    package var metaTime: Timestamp?
    /// The car's own clock, `timestamp`. It drifts, jumps and may stand still.
    package var carTime: Timestamp?
    /// `nil` when the record has none, or TRD's 32768.
    package var lap: Lap?
    package var channels = ChannelValues()
    /// Channels the catalogue does not know, in the order of the record.
    package var extras: [ExtraChannel] = []
    /// The record exactly as it arrived, one JSON object; empty for CSV.
    package var original = UnsafeRawBufferPointer(start: nil, count: 0)

    package init() {}

    /// As new, but for the memory of `extras`.
    mutating func removeAll() {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        shape = .wide
        chassis = none
        track = none
        session = none
        outing = none
        metaTime = nil
        carTime = nil
        lap = nil
        channels.removeAll()
        if !extras.isEmpty { extras.removeAll(keepingCapacity: true) }
        original = none
    }
}

/// A numeric field without a place in the catalogue.
package struct ExtraChannel {
    /// The name, unescaped.
    package var name: UnsafeRawBufferPointer
    package var value: Double

    package init(name: UnsafeRawBufferPointer, value: Double) {
        self.name = name
        self.value = value
    }
}

/// Why one record was refused: the field, its value as sent (shortened), and what would have been right.
package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: String, CaseIterable, Sendable {
        case notJSON = "not_json"
        case notAnObject = "not_an_object"
        case notText = "not_text"
        case missing = "missing"
        case notANumber = "not_a_number"
        case notFinite = "not_finite"
        case outOfRange = "out_of_range"
        case badTime = "bad_time"
        case tooLarge = "too_large"
    }

    package let reason: Reason
    package let field: String
    package let value: String
    package let allowed: String

    package init(_ reason: Reason, field: String, value: String, allowed: String) {
        self.reason = reason
        self.field = field
        self.value = String(value.prefix(80))
        self.allowed = allowed
    }

    package var description: String {
        switch reason {
        case .missing: "\(field) is missing; it must be \(allowed)"
        default: "\(field) is \(value); it must be \(allowed)"
        }
    }
}

/// What a gateway takes at most; beyond it records and bodies are refused.
package enum Limits {
    package static let recordBytes = 64 << 10
    package static let bodyBytes = 16 << 20
    /// Of a chassis, a track, a channel's name.
    package static let idBytes = 128
    /// Channels outside the catalogue, in one record.
    package static let extraChannels = 512
}
