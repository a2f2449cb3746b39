/// Tells late instants from a clock that was set back.
///
/// Cars deliver some samples late, out of order. But a clock may also jump: back by minutes, or once far ahead, after
/// which everything would be late for good. The difference shows with time: when many instants in a row are late yet
/// go forward among themselves, the clock was set, and they are the newest.
struct StreamClocks: Sendable, Equatable {
    enum Order {
        case inOrder, late, jumped
    }

    /// Late points that go forward among themselves, until they are taken for the present: about 3 s at 23 Hz.
    static let pointsToJump: UInt32 = 64

    /// Each clock is compared with itself alone.
    private var car = OneClock()
    private var meta = OneClock()

    /// Takes the stamps of a new point. Without any it is in order.
    mutating func take(car carTime: Timestamp?, meta metaTime: Timestamp?) -> Order {
        if let carTime { return car.take(carTime) }
        if let metaTime { return meta.take(metaTime) }
        return .inOrder
    }

    private struct OneClock: Sendable, Equatable {
        var newest: Timestamp?
        var lastLate = Timestamp(microseconds: 0)
        var lateInARow: UInt32 = 0

        mutating func take(_ time: Timestamp) -> Order {
            guard let newest, time < newest else {
                self.newest = time
                lateInARow = 0
                return .inOrder
            }
            lateInARow = lateInARow > 0 && time >= lastLate ? lateInARow &+ 1 : 1
            lastLate = time
            guard lateInARow >= StreamClocks.pointsToJump else { return .late }
            self.newest = time
            lateInARow = 0
            return .jumped
        }
    }
}

// MARK: Snapshot format

extension StreamClocks {
    func encode(into writer: inout BinaryWriter) {
        for clock in [car, meta] {
            writer.write(clock.newest) { $0.write($1) }
            writer.write(clock.lateInARow)
            if clock.lateInARow > 0 { writer.write(clock.lastLate) }
        }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        car = try StreamClocks.readClock(&reader)
        meta = try StreamClocks.readClock(&reader)
    }

    private static func readClock(_ reader: inout BinaryReader) throws(BinaryError) -> OneClock {
        var clock = OneClock()
        clock.newest = try reader.readOptionalTimestamp()
        clock.lateInARow = try reader.read()
        if clock.lateInARow > 0 { clock.lastLate = try reader.readTimestamp() }
        return clock
    }
}
