import JSON

/// Collects the fields of one record, whatever they were read from, and makes the record of them.
///
/// A field that is named twice counts as named last. A field that is wrong is only noted: whether it matters is known
/// when the shape is.
struct RecordFields {
    var record = Record()
    private var chassis = UnsafeRawBufferPointer(start: nil, count: 0)
    private var vehicleID = UnsafeRawBufferPointer(start: nil, count: 0)
    private var track = UnsafeRawBufferPointer(start: nil, count: 0)
    private var metaEvent = UnsafeRawBufferPointer(start: nil, count: 0)
    private var telemetryName = UnsafeRawBufferPointer(start: nil, count: 0)
    private var telemetryValue: Double?
    private var tooManyExtras = false
    /// One bit for each `Field` whose value was not what it must be.
    private var wrong: UInt32 = 0

    mutating func removeAll() {
        record.removeAll()
        chassis = none
        vehicleID = none
        track = none
        metaEvent = none
        telemetryName = none
        telemetryValue = nil
        tooManyExtras = false
        wrong = 0
    }

    mutating func note(wrong field: Field) { wrong |= field.bit }

    /// A number, for any field that may have one.
    @inline(__always)
    mutating func set(_ field: Field, name: UnsafeRawBufferPointer, to number: Double) {
        if field.isChannel {
            record.channels.set(Int(field.rawValue), to: number)
            wrong &= ~field.bit
            return
        }
        switch field {
        case .other: setExtra(name, number)
        case .lap: setLap(number)
        case .telemetryValue:
            telemetryValue = number
            wrong &= ~field.bit
        default: note(wrong: field)
        }
    }

    /// Nothing: an empty column, or `null`.
    mutating func clear(_ field: Field, name: UnsafeRawBufferPointer) {
        wrong &= ~field.bit
        if field.isChannel { return record.channels.remove(Int(field.rawValue)) }
        switch field {
        case .lap: record.lap = nil
        case .metaTime: record.metaTime = nil
        case .timestamp: record.carTime = nil
        case .telemetryValue: telemetryValue = nil
        case .other: removeExtra(name)
        default: setText(field, none)
        }
    }

    /// A text, for the fields that are texts or times.
    mutating func set(_ field: Field, to text: UnsafeRawBufferPointer) {
        switch field {
        case .metaTime: record.metaTime = time(text, field)
        case .timestamp: record.carTime = time(text, field)
        default: setText(field, text)
        }
    }

    private mutating func setText(_ field: Field, _ text: UnsafeRawBufferPointer) {
        wrong &= ~field.bit
        switch field {
        case .chassis: chassis = text
        case .vehicleID: vehicleID = text
        case .track: track = text
        case .metaEvent: metaEvent = text
        case .telemetryName: telemetryName = text
        case .session: record.session = text
        case .outing: record.outing = text
        default: note(wrong: field)
        }
    }

    private mutating func time(_ text: UnsafeRawBufferPointer, _ field: Field) -> Timestamp? {
        wrong &= ~field.bit
        if text.isEmpty { return nil }
        if let time = Timestamp(iso8601: text), time >= .earliest, time <= .latest { return time }
        note(wrong: field)
        return nil
    }

    private mutating func setLap(_ number: Double) {
        guard let lap = Lap(exactly: number), lap >= 0, lap <= unknownLap else { return note(wrong: .lap) }
        wrong &= ~Field.lap.bit
        record.lap = lap == unknownLap ? nil : lap
    }

    private mutating func setExtra(_ name: UnsafeRawBufferPointer, _ number: Double) {
        if let index = indexOfExtra(name) {
            record.extras[index].value = number
        } else if record.extras.count < Limits.extraChannels {
            record.extras.append(ExtraChannel(name: name, value: number))
        } else {
            tooManyExtras = true
        }
    }

    private mutating func removeExtra(_ name: UnsafeRawBufferPointer) {
        if let index = indexOfExtra(name) { record.extras.remove(at: index) }
    }

    private func indexOfExtra(_ name: UnsafeRawBufferPointer) -> Int? {
        record.extras.firstIndex { $0.name.count == name.count && $0.name.elementsEqual(name) }
    }
}

// MARK: The record

extension RecordFields {
    /// What stands in the way of a record.
    enum Problem {
        /// The field's value is not what it must be; only the source of the fields knows what it was.
        case wrong(Field)
        case refusal(Refusal)
    }

    /// Decides on the shape, checks what it needs and completes `record`.
    mutating func finish(_ table: borrowing FieldTable) -> Problem? {
        let isLong = !telemetryName.isEmpty || wrong & Field.telemetryName.bit != 0
        record.shape = isLong ? .long : .wide
        record.chassis = isLong ? first(vehicleID, chassis) : first(chassis, vehicleID)
        record.track = isLong ? first(metaEvent, track) : first(track, metaEvent)
        if wrong != 0, let field = firstWrong(isLong) { return .wrong(field) }
        if let refusal = checkTexts(isLong) { return .refusal(refusal) }
        if isLong { return finishLong(table) }
        record.session = none
        record.outing = none
        return tooManyExtras ? .refusal(Refusals.tooManyExtras) : nil
    }

    private mutating func finishLong(_ table: borrowing FieldTable) -> Problem? {
        record.extras.removeAll(keepingCapacity: true)
        record.channels.removeAll()
        guard let value = telemetryValue else {
            return .refusal(Refusal(.missing, field: "telemetry_value", value: "", allowed: "a number"))
        }
        let field = table.field(telemetryName)
        if let channel = field.channel {
            record.channels[channel] = value
        } else if field == .other {
            record.extras.append(ExtraChannel(name: telemetryName, value: value))
        } else {
            return .refusal(
                Refusal(
                    .outOfRange, field: "telemetry_name", value: shown(telemetryName), allowed: "the name of a channel")
            )
        }
        return nil
    }

    /// A long row has one channel, so that others with the name of one are not its business.
    private func firstWrong(_ isLong: Bool) -> Field? {
        let relevant = isLong ? wrong & ~0xFFFF : wrong & ~(Field.telemetryValue.bit)
        return relevant == 0 ? nil : Field(rawValue: UInt8(relevant.trailingZeroBitCount))
    }

    private func checkTexts(_ isLong: Bool) -> Refusal? {
        let chassisField = isLong ? "vehicle_id" : "chassis"
        if record.chassis.isEmpty { return Refusals.noChassis(chassisField) }
        if let refusal = Refusals.badText(record.chassis, field: chassisField) { return refusal }
        if let refusal = Refusals.badText(record.track, field: isLong ? "meta_event" : "track") { return refusal }
        return isLong ? Refusals.badText(telemetryName, field: "telemetry_name") : nil
    }

    private func first(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        one.isEmpty ? other : one
    }
}

private var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
/// 0x8000: TRD's lap counter does not know.
let unknownLap: Lap = 32_768
