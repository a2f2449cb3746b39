import JSON
import Threads
import Web

/// A WebSocket as a client without the SDK sees it: what was said, and how it ended.
final class SocketLog: WebSocketClientHandler {
    private struct State {
        var messages: [JSONValue] = []
        var isOpen = false
        var closed: UInt16?
        var reason = ""
    }

    private let state = Monitor(State())
    private let client: WebClient

    init(_ address: String, path: String) throws {
        client = try WebClient()
        var endpoint = try WebEndpoint(url: "ws://\(address)")
        endpoint.path = path
        socket = client.connect(to: endpoint, handler: self)
    }

    nonisolated(unsafe) private var socket: ClientSocket?

    deinit { client.shutdown() }

    var messages: [JSONValue] { state.withLock { $0.messages } }
    var isOpen: Bool { state.withLock { $0.isOpen } }
    var closeCode: UInt16? { state.withLock { $0.closed } }
    var closeReason: String { state.withLock { $0.reason } }

    func messages(of type: String) -> [JSONValue] { messages.filter { $0["type"]?.string == type } }

    func send(_ text: String) { socket?.send(Array(text.utf8)) }

    func opened(_ socket: ClientSocket) { state.update { $0.isOpen = true } }

    func received(_ message: UnsafeRawBufferPointer, on socket: ClientSocket) {
        guard let value = try? JSONValue.parse(message) else { return }
        state.update { $0.messages.append(value) }
    }

    func closed(_ socket: ClientSocket, code: UInt16?, reason: String) {
        state.update { state in
            state.closed = code ?? 0
            state.reason = reason
        }
    }
}
