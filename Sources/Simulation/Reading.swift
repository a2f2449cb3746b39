import Telemetry

/// What the sensors of a car say at one instant, in the units of the wide shape.
struct Reading {
    private var lapDistance: Double
    private var speed: Double
    private var accelerationX: Double
    private var accelerationY: Double
    private var steering: Double
    private var brake: Double
    private var rpm: Double
    private var gear: Int
    private var pedal: Double

    /// - Parameter slowness: the lap's duration over that of the profile; all speeds are divided by it.
    init(
        _ instant: LapInstant, slowness: Double, trackLength: Double, using random: inout some RandomNumberGenerator
    ) {
        let metresPerSecond = instant.speed / slowness
        let acceleration = instant.acceleration / (slowness * slowness)
        let engine = Car.gearAndRPM(at: metresPerSecond)
        // Rounded up to the length it would already be the next lap's line.
        lapDistance = min(trackLength - 0.1, max(0, instant.distance))
        speed = 3.6 * metresPerSecond + 0.1 * random.normal()
        accelerationX = acceleration / Car.gravity + 0.015 * random.normal()
        accelerationY = metresPerSecond * metresPerSecond * instant.curvature / Car.gravity + 0.015 * random.normal()
        steering = Car.steeringAngle(for: instant.curvature) + 0.4 * random.normal()
        let deceleration = -acceleration / Car.gravity
        brake = deceleration > 0.08 ? 62 * deceleration + 0.2 * random.normal() : 0
        (gear, rpm) = (engine.gear, engine.rpm + 12 * random.normal())
        pedal = deceleration > 0.08 ? 0 : Car.pedal(for: acceleration, at: metresPerSecond)
    }

    /// About 230 bytes. The decimals are what the real loggers resolve.
    func write(into json: inout JSONWriter, time: Timestamp, track: String, chassis: String, lap: Lap) {
        json.raw("{\"meta_time\":")
        json.timestamp(time)
        json.raw(",\"track\":")
        json.string(track)
        json.raw(",\"chassis\":")
        json.string(chassis)
        json.raw(",\"lap\":")
        json.integer(lap)
        json.number(",\"lapdist_m\":", lapDistance, decimals: 1)
        json.number(",\"speed_kmh\":", speed, decimals: 2)
        json.number(",\"accx_can\":", accelerationX, decimals: 3)
        json.number(",\"accy_can\":", accelerationY, decimals: 3)
        json.number(",\"Steering_Angle\":", steering, decimals: 1)
        json.number(",\"pbrake_f\":", brake, decimals: 2)
        json.number(",\"rpm\":", rpm, decimals: 0)
        json.raw(",\"gear\":")
        json.integer(gear)
        json.number(",\"aps\":", pedal, decimals: 1)
        json.raw("}")
    }
}
