/// A quantity we know by name. Any other numeric field is kept too, as an `ExtraChannel`.
///
/// The raw value is part of the snapshot format: append new channels, never reorder.
@usableFromInline
package enum Channel: UInt8, CaseIterable, Sendable {
    case lapDistance, speed, accelerationX, accelerationY, steering, brakeFront, brakeRear, engineSpeed, gear
    case pedal, throttle, latitude, longitude

    /// What a catalogue tells about a channel.
    package struct Description: Sendable {
        /// The name in Pitwall's wide shape and in everything we send.
        package let name: String
        /// Names other sources use for it: TRD's `gr-raw` first.
        package let aliases: [String]
        package let quantity: String
        package let unit: String
    }

    package var description: Description { Channel.catalogue[Int(rawValue)] }
    package var name: String { description.name }

    package static let catalogue: [Description] = [
        .init(
            name: "lapdist_m", aliases: ["Laptrigger_lapdist_dls"], quantity: "distance from start/finish", unit: "m"),
        .init(name: "speed_kmh", aliases: ["speed"], quantity: "speed", unit: "km/h"),
        .init(name: "accx_can", aliases: [], quantity: "longitudinal acceleration, braking negative", unit: "g"),
        .init(name: "accy_can", aliases: [], quantity: "lateral acceleration", unit: "g"),
        .init(name: "Steering_Angle", aliases: [], quantity: "steering wheel angle", unit: "°"),
        .init(name: "pbrake_f", aliases: [], quantity: "front brake pressure", unit: "bar"),
        .init(name: "pbrake_r", aliases: [], quantity: "rear brake pressure", unit: "bar"),
        .init(name: "rpm", aliases: ["nmot"], quantity: "engine speed", unit: "1/min"),
        .init(name: "gear", aliases: [], quantity: "gear, -1 for reverse or not known", unit: "1"),
        .init(name: "aps", aliases: [], quantity: "accelerator pedal position", unit: "%"),
        .init(name: "ath", aliases: [], quantity: "throttle blade position", unit: "%"),
        .init(name: "latitude", aliases: ["VBOX_Lat_Min"], quantity: "latitude, WGS 84", unit: "°"),
        .init(name: "longitude", aliases: ["VBOX_Long_Minutes"], quantity: "longitude, WGS 84", unit: "°"),
    ]
}

/// Values of known channels; a channel may be absent. Fixed size, no heap.
@usableFromInline
package struct ChannelValues: Sendable {
    // Open to inlining: an engine reads some ten channels per point.
    @usableFromInline var present: UInt32 = 0
    /// What an absent channel has here means nothing.
    @usableFromInline var values = InlineArray<13, Double>(repeating: 0)

    package init() {}

    package subscript(_ channel: Channel) -> Double? {
        @inlinable @inline(__always)
        get { contains(channel) ? values[Int(channel.rawValue)] : nil }
        set {
            if let newValue {
                set(Int(channel.rawValue), to: newValue)
            } else {
                remove(Int(channel.rawValue))
            }
        }
    }

    /// For decoders, which have the channel as a number; it must be less than 13.
    @inlinable @inline(__always) mutating func set(_ index: Int, to value: Double) {
        values[index] = value
        present |= 1 << UInt32(truncatingIfNeeded: index)
    }
    @inlinable @inline(__always) mutating func remove(_ index: Int) {
        present &= ~(1 << UInt32(truncatingIfNeeded: index))
    }

    package var isEmpty: Bool { present == 0 }
    package var count: Int { present.nonzeroBitCount }
    /// Both have a value of some channel.
    package func intersects(_ other: borrowing ChannelValues) -> Bool { present & other.present != 0 }
    @inlinable @inline(__always)
    package func contains(_ channel: Channel) -> Bool { present & (1 << UInt32(channel.rawValue)) != 0 }

    package mutating func removeAll() { present = 0 }

    /// Takes those values of `older` that it has not itself.
    package mutating func fill(from older: borrowing ChannelValues) {
        var missing = older.present & ~present
        present |= missing
        while missing != 0 {
            let index = missing.trailingZeroBitCount
            values[index] = older.values[index]
            missing &= missing - 1
        }
    }

    /// Takes every value that `newer` has and keeps the others: the last known value of each channel.
    package mutating func merge(_ newer: borrowing ChannelValues) {
        var rest = newer.present
        present |= rest
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            values[index] = newer.values[index]
            rest &= rest - 1
        }
    }
}

extension ChannelValues: Equatable {
    @usableFromInline
    package static func == (left: ChannelValues, right: ChannelValues) -> Bool {
        guard left.present == right.present else { return false }
        var rest = left.present
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            if left.values[index] != right.values[index] { return false }
            rest &= rest - 1
        }
        return true
    }
}

// MARK: Snapshot format

extension ChannelValues {
    package func encode(into writer: inout BinaryWriter) {
        writer.write(present)
        for channel in Channel.allCases where contains(channel) { writer.write(values[Int(channel.rawValue)]) }
    }

    package init(from reader: inout BinaryReader) throws(BinaryError) {
        let mask: UInt32 = try reader.read()
        guard mask >> UInt32(Channel.allCases.count) == 0 else {
            throw .invalid(what: "set of channels", value: "\(mask)")
        }
        for channel in Channel.allCases where mask & (1 << UInt32(channel.rawValue)) != 0 {
            let value = try reader.readDouble()
            guard value.isFinite else { throw .invalid(what: channel.name, value: "\(value)") }
            self[channel] = value
        }
    }
}
