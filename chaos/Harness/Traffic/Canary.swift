import Synchronization

/// Tells how long this program itself was held up: a busy machine makes gaps that no node made.
final class Canary: Sendable {
    private let longest = Mutex(0.0)
    private static let period = Duration.milliseconds(10)

    /// The longest so far, s.
    var stall: Double { longest.withLock { $0 } }

    /// Until the task is cancelled.
    func run() async throws {
        while true {
            let due = ContinuousClock.now + Canary.period
            try await Task.sleep(until: due)
            let late = (ContinuousClock.now - due) / .seconds(1)
            longest.withLock { $0 = max($0, late) }
        }
    }
}
