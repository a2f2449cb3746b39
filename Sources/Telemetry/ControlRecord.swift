/// A record in the log that is an order to the engines and no telemetry. Only nodes write them; a gateway refuses one,
/// for it names no chassis.
package enum ControlRecord: Sendable, CaseIterable {
    /// Closes the open point of the stream.
    case flush

    /// The value of the log record.
    package var bytes: [UInt8] { Array("{\"slipstream\":\"flush\"}".utf8) }

    /// - Returns: `nil` for anything but the bytes of a control record.
    package static func parse(_ value: UnsafeRawBufferPointer) -> ControlRecord? {
        guard value.count == flushText.utf8CodeUnitCount else { return nil }
        let text = UnsafeRawBufferPointer(start: flushText.utf8Start, count: flushText.utf8CodeUnitCount)
        return value.elementsEqual(text) ? .flush : nil
    }

    private static let flushText: StaticString = "{\"slipstream\":\"flush\"}"
}
