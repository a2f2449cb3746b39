import Delivery
import Telemetry

/// The last points over all streams, for `/api/recent`: places in the streams' rings, not copies.
struct RecentPoints {
    private struct Place {
        let stream: HubStream
        let ordinal: UInt64
    }

    private let capacity: Int
    private var places: [Place] = []
    private var next = 0

    init(capacity: Int) { self.capacity = capacity }

    /// - Parameter streams: the shard's, by number. Their rings hold the outputs already.
    mutating func absorb(_ batch: borrowing OutputBatch, streams: (Int32) -> HubStream) {
        var ends: [Int32: UInt64] = [:]
        for entry in batch.entries.reversed() {
            let stream = streams(entry.stream)
            let ordinal = (ends[entry.stream] ?? stream.ring.end) - 1
            ends[entry.stream] = ordinal
        }
        for entry in batch.entries {
            guard let ordinal = ends[entry.stream] else { continue }
            ends[entry.stream] = ordinal + 1
            if entry.kind == .point { add(Place(stream: streams(entry.stream), ordinal: ordinal)) }
        }
    }

    private mutating func add(_ place: Place) {
        if places.count < capacity {
            places.append(place)
        } else {
            places[next] = place
        }
        next = (next + 1) % capacity
    }

    /// The last `count` points that the rings still hold, the oldest first: `[{…},…]`.
    func write(_ count: Int, into json: inout JSONWriter) {
        let ordered = places.count < capacity ? places[...] : places[next...] + places[..<next]
        json.raw("[")
        var isFirst = true
        for place in ordered.suffix(count) where place.ordinal >= place.stream.ring.first {
            if !isFirst { json.comma() }
            isFirst = false
            let ring = place.stream.ring
            ring.withBytes(of: ring[place.ordinal]) { json.raw($0) }
        }
        json.raw("]")
    }

    var count: Int { places.count }
}
