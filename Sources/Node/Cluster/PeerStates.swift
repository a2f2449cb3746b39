import Delivery
import Replication
import struct Sharding.NodeID
import Threads
import Web

/// Fetches the state of shards from peers that have them live.
final class PeerStates: Sendable {
    /// A peer that takes longer has to be done without.
    private static let limit = Duration.seconds(3)

    private let client: WebClient
    private let journal: Log
    private let own: NodeID
    private let view = Monitor(ClusterView())

    init(_ client: WebClient, own: NodeID, journal: Log) {
        self.client = client
        self.own = own
        self.journal = journal
    }

    func use(_ view: ClusterView) { self.view.withLock { $0 = view } }

    /// Who leads the shard, as far as gossip tells. Two may believe it of themselves for a moment.
    func leader(of partition: PartitionID) -> NodeID? { view.withLock { $0.live(partition.number).first } }

    /// Blocks; `nil` when no peer has the shard live or none of them answers.
    /// - Parameter trusted: nobody else is asked; `nil`: all are.
    func state(of partition: PartitionID, trusted: [NodeID]? = nil) -> [UInt8]? {
        let view = view.withLock { $0 }
        for node in view.live(partition.number) where node != own && trusted?.contains(node) ?? true {
            guard let url = view.urls[node] else { continue }
            if let state = get("\(url)/v1/shards/\(partition)/state", partition) { return state }
        }
        return nil
    }

    private func get(_ url: String, _ partition: PartitionID) -> [UInt8]? {
        let answer = Monitor<Result<HTTPResponse, WebError>?>(nil)
        let client = client
        // The client is made for tasks, this thread waits for one.
        Task {
            let result: Result<HTTPResponse, WebError>
            do throws(WebError) {
                result = .success(try await client.request("GET", url, timeout: PeerStates.limit))
            } catch { result = .failure(error) }
            answer.update { $0 = result }
        }
        switch answer.when({ $0 != nil }, { $0 }) {
        case .success(let response) where response.status == 200: return response.body
        case .success(let response):
            journal.notice(
                "a peer has no state to give",
                [.partition: "\(partition)", .address: url, .reason: "\(response.status)"])
        case .failure(let error):
            journal.notice("a peer does not answer", [.partition: "\(partition)", .address: url, .reason: "\(error)"])
        case nil: break
        }
        return nil
    }
}
