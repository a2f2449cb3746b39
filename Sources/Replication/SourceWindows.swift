import Telemetry

/// Tells the repeats of a publisher that resends, in one stream.
///
/// Per source the highest number accepted and which of the `width` before it. A publisher keeps at most `width`
/// publishes unacknowledged, so a number below the window was acknowledged and is a repeat. Numbers within it may come
/// in any order: an append that failed may be tried again after a later one went through. Source: the anti-replay window
/// of RFC 4303, section 3.4.3; ours accepts what is new and old enough to be in doubt.
package struct SourceWindows: Sendable, Equatable {
    fileprivate struct Window: Sendable, Equatable {
        let source: [UInt8]
        var highest: UInt64
        /// Bit n: number `highest` − n was accepted.
        var accepted: UInt64
        /// The stream's seq when a record of this source was last accepted: the source longest silent is forgotten.
        var usedAt: UInt64
    }

    /// How many publishes a source may have unacknowledged.
    package static let width: UInt64 = 64
    /// How many sources a stream remembers.
    package static let sourcesMax = 64

    private var windows: [Window] = []

    package init() {}

    /// Notes `sequence` of `source` and says whether it is new.
    package mutating func accept(_ source: UnsafeRawBufferPointer, _ sequence: UInt64, at seq: UInt64) -> Bool {
        guard let index = windows.firstIndex(where: { $0.source.elementsEqual(source) }) else {
            forgetOldest()
            windows.append(Window(source: Array(source), highest: sequence, accepted: 1, usedAt: seq))
            return true
        }
        guard windows[index].note(sequence) else { return false }
        windows[index].usedAt = seq
        return true
    }

    private mutating func forgetOldest() {
        guard windows.count >= SourceWindows.sourcesMax,
            let oldest = windows.indices.min(by: { windows[$0].isOlder(than: windows[$1]) })
        else { return }
        windows.remove(at: oldest)
    }

    package func encode(into writer: inout BinaryWriter) {
        writer.write(UInt32(windows.count))
        for window in windows.sorted(by: { $0.source.lexicographicallyPrecedes($1.source) }) {
            writer.write(window.source)
            writer.write(window.highest)
            writer.write(window.accepted)
            writer.write(window.usedAt)
        }
    }

    package init(from reader: inout BinaryReader) throws(BinaryError) {
        let count: UInt32 = try reader.read()
        guard count <= UInt32(SourceWindows.sourcesMax) else { throw .invalid(what: "source count", value: "\(count)") }
        for _ in 0..<count {
            let source = Array(try reader.readBytes())
            windows.append(
                Window(
                    source: source, highest: try reader.read(), accepted: try reader.read(), usedAt: try reader.read()))
        }
    }
}

extension SourceWindows.Window {
    fileprivate func isOlder(than other: Self) -> Bool {
        usedAt != other.usedAt ? usedAt < other.usedAt : source.lexicographicallyPrecedes(other.source)
    }

    fileprivate mutating func note(_ sequence: UInt64) -> Bool {
        if sequence > highest {
            let ahead = sequence - highest
            accepted = ahead < 64 ? accepted << ahead | 1 : 1
            highest = sequence
            return true
        }
        let behind = highest - sequence
        guard behind < SourceWindows.width, accepted & (1 << behind) == 0 else { return false }
        accepted |= 1 << behind
        return true
    }
}
