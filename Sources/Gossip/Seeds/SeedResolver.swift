import struct Sharding.PeerAddress
import Threads

/// Looks names up on a thread of its own, as that may take seconds; when asked, and not in between.
final class SeedResolver: Sendable {
    struct Answer: Sendable, Equatable {
        var addresses: [PeerAddress] = []
        var failures: [Failure] = []
        struct Failure: Sendable, Equatable {
            let name: HostPort
            let reason: String
        }
    }
    private struct State {
        var isAsked = false
        var isStopped = false
        var hasEnded = false
    }
    private let state: Monitor<State>
    private let worker: Worker

    init(
        _ names: [HostPort], family: Int32, onAnswer: @escaping @Sendable (Answer) -> Void
    ) throws(ThreadError) {
        let state = Monitor(State())
        self.state = state
        worker = try Worker("gossip-names") {
            while Self.waitUntilAsked(state) {
                let answer = Self.lookUp(names, family)
                if !state.withLock(\.isStopped) { onAnswer(answer) }
            }
            state.update { $0.hasEnded = true }
        }
    }

    func ask() { state.update { $0.isAsked = true } }

    /// A lookup under way cannot be called off: its thread is then left to end by itself, holding nothing but its names.
    func stop() {
        state.update { $0.isStopped = true }
        let hasEnded = state.when(\.hasEnded, orAfter: .milliseconds(200)) { $0.hasEnded }
        if hasEnded { worker.join() }
    }

    private static func waitUntilAsked(_ state: Monitor<State>) -> Bool {
        state.when({ $0.isAsked || $0.isStopped }) { state in
            state.isAsked = false
            return !state.isStopped
        }
    }

    private static func lookUp(_ names: [HostPort], _ family: Int32) -> Answer {
        var answer = Answer()
        for name in names {
            do throws(AddressLookup.Failure) {
                answer.addresses += try AddressLookup.addresses(of: name, family: family)
            } catch {
                answer.failures.append(Answer.Failure(name: name, reason: error.reason))
            }
        }
        return answer
    }
}
