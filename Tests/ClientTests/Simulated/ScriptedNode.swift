import Client
import Synchronization

/// A node played by a test: it hands out each connection, and the test says what comes over it.
final class ScriptedNode: Transport {
    private let (connections, continuation) = AsyncStream.makeStream(of: ScriptedConnection.self)

    func connect(
        _ id: ConnectionID, to address: Destination, for receiver: any TransportReceiver
    ) -> (any TransportSocket)? {
        if address == .told(url: "nonsense") { return nil }
        let connection = ScriptedConnection(id, address, receiver)
        continuation.yield(connection)
        return connection
    }

    func shutdown() { continuation.finish() }

    /// The next connection that a client begins, not open yet.
    func nextConnection() async -> ScriptedConnection? {
        for await connection in connections { return connection }
        return nil
    }

    /// A client of this node.
    func client(
        urls: [String] = ["ws://test"], _ change: (inout ClientSettings) -> Void = { _ in }
    ) -> SlipstreamClient {
        var settings = ClientSettings()
        change(&settings)
        return SlipstreamClient(over: self, urls: urls, settings: settings)
    }
}

final class ScriptedConnection: TransportSocket {
    private struct State {
        var isReading = true
        var isClosed = false
    }
    private let id: ConnectionID
    let address: Destination
    private let receiver: any TransportReceiver
    private let state = Mutex(State())
    /// What the client sends; ends when it closes.
    private let (sent, continuation) = AsyncStream.makeStream(of: String.self)

    init(_ id: ConnectionID, _ address: Destination, _ receiver: any TransportReceiver) {
        self.id = id
        self.address = address
        self.receiver = receiver
    }

    // MARK: The client's side

    func send(_ text: [UInt8]) { continuation.yield(String(decoding: text, as: UTF8.self)) }
    func setReading(_ isReading: Bool) { state.withLock { $0.isReading = isReading } }
    func close(code: UInt16, reason: String) {
        state.withLock { $0.isClosed = true }
        continuation.finish()
    }

    // MARK: The node's side

    var isReading: Bool { state.withLock { $0.isReading } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func open() { receiver.opened(id) }
    func say(_ text: String) { Array(text.utf8).withUnsafeBytes { receiver.received(id, $0) } }
    func lose(_ loss: Loss = .broken(reason: "reset")) { receiver.lost(id, loss) }

    /// The next message of the client; `nil` when it has closed.
    func heard() async -> String? {
        for await text in sent { return text }
        return nil
    }

    /// Answers a subscription that begins at `seq` of one stream.
    func subscribed(_ stream: String = "chassis/A", at seq: Int = 0) {
        say(
            #"{"type":"subscribed","id":"updates","positions":{"\#(stream)":{"lineage":"000000000000000f","seq":\#(seq)}}}"#
        )
    }

    /// Points `previous` + 1 … `seq`.
    func points(_ stream: String = "chassis/A", after previous: Int, through seq: Int) {
        let data = (previous + 1...seq).map { #"{"n":\#($0)}"# }.joined(separator: ",")
        say(
            """
            {"type":"telemetry_update","stream":"\(stream)","lineage":"000000000000000f","prev":\(previous),\
            "seq":\(seq),"data":[\(data)]}
            """)
    }

    func acknowledge(_ source: String, through number: Int) {
        say(#"{"type":"ack","source":"\#(source)","through":\#(number)}"#)
    }
}
