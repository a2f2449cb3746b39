import Delivery
import struct Sharding.NodeID
import Threads
import Telemetry
import Web

/// Follows shards at other nodes, over one connection to each, and posts what they say to the inbox.
final class PeerFollower: Sendable {
    private struct Connection {
        let number: Int
        let socket: ClientSocket
        var shards: Set<Int> = []
        var heard = Timestamp.monotonic
    }

    private struct State {
        var connections: [NodeID: Connection] = [:]
        var lastNumber = 0
    }

    /// A peer that says nothing for this long is left for another; it says something ten times as often.
    static let silenceMicroseconds: Int64 = 1_000_000

    private let client: WebClient
    private let inbox: ServiceInbox
    private let journal: Log
    private let shardCount: Int
    /// Told of a node whose connection broke without a goodbye.
    private let onReset: @Sendable (NodeID) -> Void
    private let state = Monitor(State())

    init(
        _ client: WebClient, inbox: ServiceInbox, journal: Log, shardCount: Int,
        onReset: @escaping @Sendable (NodeID) -> Void
    ) {
        self.client = client
        self.inbox = inbox
        self.journal = journal
        self.shardCount = shardCount
        self.onReset = onReset
    }

    func follow(_ node: NodeID, url: String?, _ order: FollowOrder) {
        guard let url, let endpoint = endpoint(url) else {
            return inbox.post(.peerLost(node, shard: order.shard))
        }
        let socket = state.withLock { state in
            if state.connections[node] == nil {
                state.lastNumber += 1
                let handler = PeerConnection(node, state.lastNumber, self)
                state.connections[node] = Connection(
                    number: state.lastNumber,
                    socket: client.connect(
                        to: endpoint, handler: handler, timeout: .seconds(1), maxMessageBytes: 256 << 20))
            }
            state.connections[node]?.shards.insert(order.shard)
            return state.connections[node]?.socket
        }
        socket?.send(order.encoded)
    }

    private func endpoint(_ url: String) -> WebEndpoint? {
        do throws(WebError) {
            var endpoint = try WebEndpoint(url: url)
            endpoint.path = PeerMessage.path
            return endpoint
        } catch {
            journal.error("a peer's address cannot be used", [.address: url, .reason: "\(error)"])
            return nil
        }
    }

    func unfollow(_ node: NodeID, shard: Int) {
        let socket = state.withLock { state in
            state.connections[node]?.shards.remove(shard)
            return state.connections[node]?.socket
        }
        socket?.send(Array("{\"unfollow\":\(shard)}".utf8))
    }

    /// Leaves peers that have fallen silent. To be called now and then.
    func tick(_ now: Timestamp) {
        let silent = state.withLock { state in
            state.connections.filter {
                now.microseconds - $0.value.heard.microseconds > PeerFollower.silenceMicroseconds
            }
        }
        for (node, connection) in silent { lost(node, connection.number, reason: "nothing heard for 1 s") }
    }

    // MARK: What peers say

    fileprivate func received(_ bytes: [UInt8], from node: NodeID, _ number: Int) {
        let isCurrent = state.withLock { state in
            guard state.connections[node]?.number == number else { return false }
            state.connections[node]?.heard = .monotonic
            return true
        }
        guard isCurrent else { return }
        do throws(BinaryError) {
            switch try PeerMessage(bytes) {
            case .beat: break
            case .restored(let shard, let lineage, let streams, let tail) where shard < shardCount:
                inbox.post(
                    .restored(
                        .peer(node),
                        RestoredState(shard: shard, lineage: lineage, streams: streams, isLive: true, tail: tail)))
            case .outputs(let shard, let lineage, let outputs) where shard < shardCount:
                _ = inbox.post(outputs, from: .peer(node), shard: shard, lineage: lineage)
            case .gone(let shard) where shard < shardCount:
                state.withLock { _ = $0.connections[node]?.shards.remove(shard) }
                inbox.post(.peerLost(node, shard: shard))
            case .restored, .outputs, .gone:
                throw .invalid(what: "shard", value: "one beyond the \(shardCount) there are")
            }
        } catch {
            lost(node, number, reason: "\(error)")
        }
    }

    fileprivate func closed(_ node: NodeID, _ number: Int, code: UInt16?, reason: String) {
        guard lost(node, number, reason: reason), code == nil else { return }
        onReset(node)
    }

    /// - Returns: false for a connection that was left before.
    @discardableResult
    private func lost(_ node: NodeID, _ number: Int, reason: String) -> Bool {
        let gone = state.withLock { state -> Connection? in
            guard state.connections[node]?.number == number else { return nil }
            return state.connections.removeValue(forKey: node)
        }
        guard let gone else { return false }
        gone.socket.cancel()
        if !gone.shards.isEmpty { journal.notice("peer lost", [.address: "\(node)", .reason: reason]) }
        inbox.post(.peerLost(node, shard: nil))
        return true
    }
}

private final class PeerConnection: WebSocketClientHandler {
    private let node: NodeID
    private let number: Int
    private let follower: PeerFollower

    init(_ node: NodeID, _ number: Int, _ follower: PeerFollower) {
        self.node = node
        self.number = number
        self.follower = follower
    }

    func opened(_ socket: ClientSocket) {}
    func received(_ message: UnsafeRawBufferPointer, on socket: ClientSocket) {
        follower.received(Array(message), from: node, number)
    }
    func closed(_ socket: ClientSocket, code: UInt16?, reason: String) {
        follower.closed(node, number, code: code, reason: reason)
    }
}
