import JSON

/// Decodes Pitwall's line without a header, as it comes by UDP:
/// `meta_time,track,chassis,lap,lapdist_m,speed_kmh,accx_can,accy_can,Steering_Angle,pbrake_f,rpm`, the first six at
/// least. An empty field is absent.
///
/// Not `Sendable`: a decoder belongs to one user at a time.
package final class LineDecoder {
    private let table = FieldTable()
    private var fields = RecordFields()
    private var splitter = LineSplitter()

    package static let columns = [
        "meta_time", "track", "chassis", "lap", "lapdist_m", "speed_kmh", "accx_can", "accy_can", "Steering_Angle",
        "pbrake_f", "rpm",
    ]
    package static let minimumColumns = 6

    private static let meanings: [Field] = [
        .metaTime, .track, .chassis, .lap, .channel(.lapDistance), .channel(.speed), .channel(.accelerationX),
        .channel(.accelerationY), .channel(.steering), .channel(.brakeFront), .channel(.engineSpeed),
    ]

    package init() {}

    /// Decodes the lines of one datagram; blank ones are skipped.
    ///
    /// - Parameter record: called for each record in order, with its line (the first is 0).
    /// - Parameter refused: called for each line that is no record, in the same order.
    package func decode(
        _ datagram: UnsafeRawBufferPointer,
        record: (_ line: Int, borrowing Record) -> Void,
        refused: (_ line: Int, Refusal) -> Void
    ) {
        for (index, line) in datagram.split(separator: UInt8(ascii: "\n")).enumerated() {
            switch splitter.split(UnsafeRawBufferPointer(rebasing: line)) {
            case .blank: continue
            case .refused(let refusal): refused(index, refusal)
            case .fields:
                if let refusal = take(line.count) { refused(index, refusal) } else { record(index, fields.record) }
            }
        }
    }

    private func take(_ bytes: Int) -> Refusal? {
        guard bytes <= Limits.recordBytes else { return Refusals.tooLarge(bytes) }
        guard (LineDecoder.minimumColumns...LineDecoder.columns.count).contains(splitter.count) else {
            return Refusal(
                .outOfRange, field: "line", value: "\(splitter.count) fields",
                allowed: "6 to 11 fields: \(LineDecoder.columns.joined(separator: ","))")
        }
        fields.removeAll()
        for index in 0..<splitter.count where !splitter[index].isEmpty { take(splitter[index], at: index) }
        return switch fields.finish(table) {
        case nil: nil
        case .refusal(let refusal): refusal
        case .wrong(let field): refusal(of: field)
        }
    }

    private func take(_ text: UnsafeRawBufferPointer, at index: Int) {
        let field = LineDecoder.meanings[index]
        guard field.isChannel || field == .lap else { return fields.set(field, to: text) }
        if let number = JSONNumber.parse(text) {
            fields.set(field, name: text, to: number)
        } else {
            fields.note(wrong: field)
        }
    }

    private func refusal(of field: Field) -> Refusal {
        let index = LineDecoder.meanings.firstIndex(of: field) ?? 0
        return Refusals.wrong(field, named: LineDecoder.columns[index], text: splitter[index])
    }
}
