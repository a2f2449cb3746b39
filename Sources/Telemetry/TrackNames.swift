/// Remembers the name of the last track, so that a record of the same one costs no allocation.
struct TrackNames: Sendable {
    private var text: [UInt8] = []
    private var name: String?

    /// - Returns: `nil` for an empty text.
    mutating func name(of trackOrEvent: UnsafeRawBufferPointer) -> String? {
        if trackOrEvent.isEmpty { return nil }
        let isSame = text.withUnsafeBytes { $0.count == trackOrEvent.count && $0.elementsEqual(trackOrEvent) }
        if !isSame {
            text.removeAll(keepingCapacity: true)
            text.append(contentsOf: trackOrEvent)
            name = TrackTable.name(of: trackOrEvent)
        }
        return name
    }
}
