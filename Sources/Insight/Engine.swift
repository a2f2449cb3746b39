import Telemetry

/// Folds one stream's points into insights.
///
/// Deterministic: the same points in the same order give byte-identical state and outputs on any node and in any
/// process. So an engine has no clock, no chance, no hash order and no IO; time is what points say.
package protocol Engine: Sendable {
    /// Raise it whenever the same points would give another state or output; a snapshot of another version is not used.
    static var version: UInt32 { get }

    /// - Parameter stream: whose points these will be.
    /// - Parameter tracks: lengths and sectors. The same on every node, for outputs depend on it.
    init(stream: StreamID, tracks: TrackTable)

    /// Takes the next point. `outputs` is empty on entry; whatever is left in it was said at `point.seq`.
    mutating func apply(_ point: borrowing Point, into outputs: inout EngineOutputs)

    /// Writes the latest insight, as last said or as it would be said now. The same JSON object as in `outputs`.
    func writeInsight(into json: inout JSONWriter)

    /// All state there is, canonically: equal state gives equal bytes. The state hash is taken over these.
    func encode(into writer: inout BinaryWriter)
    init(stream: StreamID, tracks: TrackTable, from reader: inout BinaryReader) throws(BinaryError)
}

/// What an engine says at one point. The buffers are reused, so that saying something allocates nothing.
package struct EngineOutputs: Sendable {
    /// One JSON object, or empty when there is nothing new to say.
    package var insight = JSONWriter(reserving: 2_048)
    /// A JSON array of the alerts raised and cleared here, or empty. Whoever fills this fills `insight` too.
    package var alerts = JSONWriter(reserving: 512)

    package init() {}
    package mutating func removeAll() {
        insight.removeAll()
        alerts.removeAll()
    }
}
