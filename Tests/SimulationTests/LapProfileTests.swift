import Telemetry
import Testing

@testable import Simulation

@Suite struct LapProfileTests {
    @Test(arguments: TrackTable.builtIn.all)
    func `the bends of every track turn through one full circle and leave the line straight`(track: Track) {
        let shape = TrackShape(track)
        let turned = (0..<Int(track.length)).reduce(0) { $0 + shape.curvature(at: Double($1)) }
        #expect(abs(turned - 2 * Double.pi) < 0.05)
        #expect(shape.curvature(at: 0) == 0)
        #expect(shape.curvature(at: track.length) == 0)
        #expect(shape.corners.contains { $0.angle < 0 })
    }

    @Test(arguments: TrackTable.builtIn.all)
    func `a lap keeps to what tyres, brakes and engine can do`(track: Track) {
        let profile = LapProfile(track)
        #expect((30...44).contains(track.length / profile.lapSeconds))
        for step in 0..<2_000 {
            let instant = profile[Double(step) / 2_000]
            #expect(instant.speed <= Car.topSpeed + 0.01)
            #expect(instant.speed * instant.speed * abs(instant.curvature) <= Car.grip * 1.05)
            #expect((-Car.braking * 1.05...5).contains(instant.acceleration))
        }
    }

    @Test func `distance is speed integrated over time and speed is acceleration integrated`() {
        let profile = LapProfile(TrackTable.fallback)
        let count = 20_000
        let seconds = profile.lapSeconds / Double(count)
        var (distance, speed) = (0.0, profile[0].speed)
        for step in 0..<count {
            let instant = profile[Double(step) / Double(count)]
            #expect(abs(instant.distance - distance) < 5)
            #expect(abs(instant.speed - speed) < 1.5)
            distance += instant.speed * seconds
            speed += instant.acceleration * seconds
        }
    }
}
