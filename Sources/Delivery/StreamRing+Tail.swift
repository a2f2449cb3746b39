import Telemetry

extension StreamRing {
    /// Where the newest outputs of about `maxBytes` JSON begin, and per kind the last seq before them.
    /// - Parameter position: of somebody who needs nothing up to there.
    package func tail(maxBytes: Int, after position: Position? = nil) -> (start: UInt64, floor: [UInt64]) {
        var start = end
        var left = maxBytes
        while start > first, self[start - 1].count <= left {
            start -= 1
            left -= self[start].count
        }
        if let position {
            while start < end, self[start].seq <= position[self[start].kind] { start += 1 }
        }
        var floor = floor
        for ordinal in first..<start { floor[Int(self[ordinal].kind.rawValue)] = self[ordinal].seq }
        return (start, floor)
    }
}
