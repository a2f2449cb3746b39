/// The car all drive: about a Toyota GR86 Cup car with its driver.
enum Car {
    /// Of the tyres, m/s².
    static let grip = 11.5
    /// m/s².
    static let braking = 9.0
    /// m/s.
    static let topSpeed = 60.0
    /// m/s².
    static let gravity = 9.80665

    /// What the engine adds to the speed, less what the air takes, m/s².
    ///
    /// - Parameter speed: m/s.
    static func push(at speed: Double) -> Double { enginePush(at: speed) - airDrag(at: speed) }

    /// How far the accelerator is pressed, %.
    ///
    /// - Parameter acceleration: what is to come of it, m/s².
    /// - Parameter speed: m/s.
    static func pedal(for acceleration: Double, at speed: Double) -> Double {
        min(100, max(0, 100 * (acceleration + airDrag(at: speed)) / enginePush(at: speed)))
    }

    /// 108 W/kg after the gearbox; below 24 m/s the driver holds back for grip.
    private static func enginePush(at speed: Double) -> Double { min(4.5, 108 / max(speed, 1)) }

    /// ½ · air density · drag area / mass is 0.00026 1/m.
    private static func airDrag(at speed: Double) -> Double { 0.000_26 * speed * speed }

    /// The gear a driver is in, and the engine speed in 1/min.
    ///
    /// - Parameter speed: m/s.
    static func gearAndRPM(at speed: Double) -> (gear: Int, rpm: Double) {
        let ratios: InlineArray<6, Double> = [3.626, 2.188, 1.541, 1.213, 1.0, 0.767]
        let finalDrive = 4.3
        let tyreCircumference = 1.95  // m
        let wheelRPM = speed / tyreCircumference * 60
        var gear = 0
        while gear < 5, wheelRPM * finalDrive * ratios[gear] > 7_200 { gear += 1 }
        return (gear + 1, max(900, wheelRPM * finalDrive * ratios[gear]))
    }

    /// How far the wheel is turned, degrees, for small angles.
    ///
    /// - Parameter curvature: of the car's path, 1/m.
    static func steeringAngle(for curvature: Double) -> Double {
        let wheelbase = 2.575  // m
        let steeringRatio = 13.5
        return steeringRatio * wheelbase * curvature * 180 / .pi
    }
}
