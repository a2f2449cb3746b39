import Delivery
import Telemetry

/// What a subscription includes.
public struct UpdateKinds: OptionSet, Sendable, Hashable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let telemetry = UpdateKinds(rawValue: 1)
    public static let insights = UpdateKinds(rawValue: 2)
    public static let alerts = UpdateKinds(rawValue: 4)
    public static let all: UpdateKinds = [.telemetry, .insights, .alerts]

    var outputKinds: [OutputKind] { OutputKind.allCases.filter { rawValue & (1 << $0.rawValue) != 0 } }
}

/// Where a subscription begins. After a lost connection it always goes on where it was.
public enum StartPoint: Sendable, Hashable {
    /// With what comes next.
    case latest
    /// With all that the log still has.
    case earliest
    /// With the first point at or after.
    case time(UTCTime)
    /// After what is handled. A stream that is not named comes from its first point.
    case positions(Positions)

    func checked() throws(SlipstreamError) -> From {
        switch self {
        case .latest: .latest
        case .earliest: .earliest
        case .time(let time): .time(time.timestamp)
        case .positions(let positions): .positions(try positions.checked())
        }
    }
}

/// What happens when the program is slower than the streams.
public enum DeliveryBehavior: Sendable, Hashable {
    /// Nothing is left out: the node serves it later, from its log.
    case every
    /// Only the newest of each kind; for displays.
    case latest

    var behavior: Behavior { self == .every ? .every : .latest }
}
