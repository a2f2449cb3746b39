import Threads

/// A node's way out of its cluster: others take over its shards, its clients are sent to them, it says goodbye and ends.
///
/// Begun by a signal or over HTTP, once; whoever asks again is told how far it is.
final class Departure: Sendable {
    enum Phase: String, Sendable {
        case serving
        /// Serves on until others have its shards live.
        case draining
        /// Others have all; its clients are told where to go.
        case moving
        /// All is handed over.
        case leaving
    }

    private struct State {
        var phase = Phase.serving
        var areClientsGone = false
    }

    /// What clients that were told to move are given, before they are cut off.
    private static let farewell = Duration.seconds(1)

    private let state = Monitor(State())

    var phase: Phase { state.withLock { $0.phase } }

    /// Nobody is left on `/v1/stream`.
    func clientsAreGone() { state.update { $0.areClientsGone = true } }

    /// - Returns: false when it has begun already.
    func begin() -> Bool {
        state.update { state in
            guard state.phase == .serving else { return false }
            state.phase = .draining
            return true
        }
    }

    /// To be called after `begin`, on a thread that may block.
    func run(_ cluster: Cluster, _ inbox: ServiceInbox) {
        cluster.handOver()
        state.update { $0.phase = .moving }
        inbox.post(.departing)
        state.when({ $0.areClientsGone }, orAfter: Departure.farewell) { $0.phase = .leaving }
        cluster.leave()
    }
}
