/// Writes a record as one JSON object that decodes to an equal record: for records that did not arrive as JSON.
package enum RecordEncoder {
    package static func encode(_ record: borrowing Record, into json: inout JSONWriter) {
        switch record.shape {
        case .wide: encodeWide(record, into: &json)
        case .long: encodeLong(record, into: &json)
        }
    }

    /// Pitwall's shape: `meta_time`, `timestamp`, `track`, `chassis`, `lap`, then the channels, known ones first.
    /// What is absent is left out.
    private static func encodeWide(_ record: borrowing Record, into json: inout JSONWriter) {
        json.raw("{")
        var members = JSONMembers()
        members.time("meta_time", record.metaTime, &json)
        members.time("timestamp", record.carTime, &json)
        members.text("track", record.track, &json)
        members.text("chassis", record.chassis, &json)
        members.lap(record.lap, &json)
        members.channels(record.channels, &json)
        for extra in record.extras { members.number(extra.name, extra.value, &json) }
        json.raw("}")
    }

    /// TRD's shape, with our name for a channel the catalogue knows.
    private static func encodeLong(_ record: borrowing Record, into json: inout JSONWriter) {
        json.raw("{")
        var members = JSONMembers()
        members.text("vehicle_id", record.chassis, &json)
        members.lap(record.lap, &json)
        for channel in Channel.allCases {
            guard let value = record.channels[channel] else { continue }
            var name = channel.name
            name.withUTF8 { members.channel(UnsafeRawBufferPointer($0), value, &json) }
        }
        for extra in record.extras { members.channel(extra.name, extra.value, &json) }
        members.time("timestamp", record.carTime, &json)
        members.time("meta_time", record.metaTime, &json)
        members.text("meta_event", record.track, &json)
        members.text("meta_session", record.session, &json)
        members.text("outing", record.outing, &json)
        json.raw("}")
    }
}

/// The members of one object: puts commas between them and leaves out what is absent.
struct JSONMembers {
    private var isFirst = true

    mutating func time(_ name: StaticString, _ time: Timestamp?, _ json: inout JSONWriter) {
        guard let time else { return }
        key(name, &json)
        json.preciseTimestamp(time)
    }

    mutating func text(_ name: StaticString, _ text: UnsafeRawBufferPointer, _ json: inout JSONWriter) {
        guard !text.isEmpty else { return }
        key(name, &json)
        json.string(text)
    }

    mutating func lap(_ lap: Lap?, _ json: inout JSONWriter) {
        guard let lap else { return }
        key("lap", &json)
        json.integer(lap)
    }

    mutating func number(_ name: UnsafeRawBufferPointer, _ value: Double, _ json: inout JSONWriter) {
        separate(&json)
        json.string(name)
        json.raw(":")
        json.number(value)
    }

    mutating func channels(_ channels: borrowing ChannelValues, _ json: inout JSONWriter) {
        for channel in Channel.allCases {
            guard let value = channels[channel] else { continue }
            separate(&json)
            json.key(channel.name)
            json.number(value)
        }
    }

    /// A long row's one channel.
    mutating func channel(_ name: UnsafeRawBufferPointer, _ value: Double, _ json: inout JSONWriter) {
        key("telemetry_name", &json)
        json.string(name)
        key("telemetry_value", &json)
        json.number(value)
    }

    private mutating func key(_ name: StaticString, _ json: inout JSONWriter) {
        separate(&json)
        json.raw("\"")
        json.raw(name)
        json.raw("\":")
    }

    private mutating func separate(_ json: inout JSONWriter) {
        if !isFirst { json.comma() }
        isFirst = false
    }
}
