import Telemetry

/// What the car does at one instant of a lap.
struct LapInstant {
    /// m from the line.
    var distance: Double
    /// m/s.
    var speed: Double
    /// Along the car, m/s²; braking negative.
    var acceleration: Double
    /// 1/m; left negative.
    var curvature: Double
}

/// The fastest lap a GR86 can drive on a track, as a table over time.
///
/// The usual quasi-static lap simulation: the speed that the grip allows in each bend, then backwards what the brakes
/// allow before it, then forwards what the engine allows after it; twice round, since the lap is a circle.
struct LapProfile {
    /// s.
    let lapSeconds: Double
    private let instants: [LapInstant]

    init(_ track: Track) {
        let shape = TrackShape(track)
        let count = Int(track.length / 2)
        let spacing = track.length / Double(count)
        let curvature = (0..<count).map { shape.curvature(at: Double($0) * spacing) }
        let speed = LapProfile.speed(curvature: curvature, spacing: spacing)
        let byDistance = (0..<count).map { index in
            let before = speed[(index + count - 1) % count]
            let after = speed[(index + 1) % count]
            return LapInstant(
                distance: Double(index) * spacing, speed: speed[index],
                acceleration: (after * after - before * before) / (4 * spacing), curvature: curvature[index])
        }
        (instants, lapSeconds) = LapProfile.resampled(byDistance, spacing: spacing)
    }

    /// - Parameter share: how much of the lap has passed, 0..<1.
    subscript(share: Double) -> LapInstant {
        let place = share * Double(instants.count - 1)
        let index = min(max(0, Int(place)), instants.count - 2)
        return LapProfile.between(instants[index], instants[index + 1], share: place - Double(index))
    }

    private static func speed(curvature: [Double], spacing: Double) -> [Double] {
        let count = curvature.count
        var speed = curvature.map { min(Car.topSpeed, (Car.grip / max($0.magnitude, 1e-6)).squareRoot()) }
        for step in (0..<2 * count).reversed() {
            let (here, next) = (step % count, (step + 1) % count)
            let braking = Car.braking * gripLeft(speed: speed[next], curvature: curvature[next])
            speed[here] = min(speed[here], (speed[next] * speed[next] + 2 * braking * spacing).squareRoot())
        }
        for step in 1...2 * count {
            let (before, here) = ((step - 1) % count, step % count)
            let push = Car.push(at: speed[before]) * gripLeft(speed: speed[before], curvature: curvature[before])
            speed[here] = min(speed[here], (speed[before] * speed[before] + 2 * push * spacing).squareRoot())
        }
        return speed
    }

    /// The share of the tyres' grip that cornering leaves for braking and accelerating, 0...1.
    private static func gripLeft(speed: Double, curvature: Double) -> Double {
        let used = speed * speed * curvature / Car.grip
        return max(0, 1 - used * used).squareRoot()
    }

    /// From steps of equal distance to steps of equal time, so that looking up needs no search.
    private static func resampled(_ points: [LapInstant], spacing: Double) -> (instants: [LapInstant], seconds: Double)
    {
        var end = points[0]
        end.distance = Double(points.count) * spacing
        let closed = points + [end]
        var times = [0.0]
        for index in 1..<closed.count {
            times.append(times[index - 1] + 2 * spacing / (closed[index - 1].speed + closed[index].speed))
        }
        let seconds = times[times.count - 1]
        let count = Int(seconds * 20)
        var segment = 0
        let instants = (0...count).map { step in
            let time = seconds * Double(step) / Double(count)
            while segment < times.count - 2, times[segment + 1] < time { segment += 1 }
            let share = (time - times[segment]) / (times[segment + 1] - times[segment])
            return between(closed[segment], closed[segment + 1], share: min(1, share))
        }
        return (instants, seconds)
    }

    private static func between(_ left: LapInstant, _ right: LapInstant, share: Double) -> LapInstant {
        return LapInstant(
            distance: left.distance + share * (right.distance - left.distance),
            speed: left.speed + share * (right.speed - left.speed),
            acceleration: left.acceleration + share * (right.acceleration - left.acceleration),
            curvature: left.curvature + share * (right.curvature - left.curvature))
    }
}
