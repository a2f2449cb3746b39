/// How fast a car's tyres go off. The truth that `degradation_s_per_lap` has to find.
package enum TyreWear: String, CaseIterable, Sendable {
    case gentle, normal, heavy

    /// By how much each lap is slower than the one before, s.
    package var lossPerLap: Double {
        switch self {
        case .gentle: 0.02
        case .normal: 0.06
        case .heavy: 0.14
        }
    }
}
