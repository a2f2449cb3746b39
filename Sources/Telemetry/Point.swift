/// One sample instant of one car: what an engine folds and what `seq` counts.
///
/// A wide record is a point. Long rows of one vehicle and one instant are joined into one by `PointAssembler`.
package struct Point {
    /// 1, 2, 3, … within the stream.
    package var seq: UInt64 = 0
    /// For people and for comparing cars: the receiver's clock, else the car's, else the time of the log record.
    package var time = Timestamp(microseconds: 0)
    /// The receiver's clock, when the records had it.
    package var metaTime: Timestamp?
    /// The car's clock, when the records had it: for intervals within one car, unless it stands still or jumps.
    package var carTime: Timestamp?
    /// `nil` while the car's lap counter does not know.
    package var lap: Lap?
    /// The name of the track, `barber`; `nil` when the records named none. A known event code is already resolved.
    package var track: String?
    /// What was sampled at this instant, and nothing else: sums over samples use only this.
    package var sampled = ChannelValues()
    /// The last known value of every channel, this instant included: slower channels are held.
    package var held = ChannelValues()
    /// Its instant is before the newest one: it came out of order. `sampled` is then older than what is held elsewhere.
    package var isLate = false

    package init() {}
}
