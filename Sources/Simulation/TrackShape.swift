import Telemetry

/// A bend of an invented track.
struct Corner {
    /// Where it is tightest, m from the line.
    let apex: Double
    /// It begins and ends this far from the apex, m.
    let reach: Double
    /// How far it turns, rad; negative to the left.
    let angle: Double

    /// 1/m at the apex. 16/15 is the area under the bump of `curvature(at:)`.
    var peakCurvature: Double { angle / (reach * 16 / 15) }

    /// 1/m; a polynomial bump, so it begins and ends smoothly and needs no mathematics library.
    func curvature(at distance: Double) -> Double {
        let offset = (distance - apex) / reach
        guard offset.magnitude < 1 else { return 0 }
        let bump = 1 - offset * offset
        return peakCurvature * bump * bump
    }
}

/// Bends for a track of which only name and length are known.
///
/// The same name always gives the same bends. They turn through one full circle, as a closed track must; they are not
/// those of the real place.
struct TrackShape {
    let length: Double
    let corners: [Corner]

    init(_ track: Track) {
        var random = SeededRandom(seed: StableHash.hash(Array(track.name.utf8)))
        length = track.length
        // The line lies on a straight: the first bend is well after it, the last well before.
        let first = 0.07 * length
        let count = max(4, Int(length / 300))
        let cell = (length * 0.95 - first) / Double(count)
        let angles = TrackShape.angles(count: count, using: &random)
        corners = angles.enumerated().map { index, angle in
            let reach = min(0.45 * cell, 30 + 18 * angle.magnitude + Double.random(in: 0...30, using: &random))
            let slack = cell - 2 * reach
            let start = first + Double(index) * cell + Double.random(in: 0...slack, using: &random)
            return Corner(apex: start + reach, reach: reach, angle: angle)
        }
    }

    func curvature(at distance: Double) -> Double {
        corners.reduce(0) { $0 + $1.curvature(at: distance) }
    }

    /// About two right turns to each left one, stretched so that the sum is one full circle.
    private static func angles(count: Int, using random: inout SeededRandom) -> [Double] {
        let drawn = (0..<count).map { index in
            let angle = Double.random(in: 0.5...2.2, using: &random)
            return index % 3 == 1 ? -0.6 * angle : angle
        }
        let right = drawn.reduce(0) { $0 + max(0, $1) }
        let left = drawn.reduce(0) { $0 - min(0, $1) }
        let stretch = (2 * Double.pi + left) / right
        return drawn.map { $0 > 0 ? $0 * stretch : $0 }
    }
}
