import Foundation
import Synchronization
import Testing
import Web

/// Notes what a socket is told.
final class RecordingHandler: WebSocketClientHandler {
    let events = Mutex<[String]>([])
    let receivedBytes = Mutex(0)

    func opened(_ socket: ClientSocket) { note("opened") }

    func received(_ message: UnsafeRawBufferPointer, on socket: ClientSocket) {
        receivedBytes.withLock { $0 += message.count }
        note("received " + String(decoding: message.prefix(40), as: UTF8.self))
    }

    func hasRoom(_ socket: ClientSocket) { note("has room") }

    func closed(_ socket: ClientSocket, code: UInt16?, reason: String) {
        note("closed \(code.map { "\($0)" } ?? "-") \(reason)")
    }

    var all: [String] { events.withLock { $0 } }

    private func note(_ event: String) { events.withLock { $0.append(event) } }
}

struct ClientTests {
    let server: TestServer
    let client: WebClient
    let handler = RecordingHandler()

    init() throws {
        server = try TestServer()
        client = try WebClient()
    }

    private func connect(_ path: String = "/ws", maxQueuedBytes: Int = 4 << 20, maxMessageBytes: Int = 1 << 20)
        -> ClientSocket
    {
        client.connect(
            to: WebEndpoint(host: "127.0.0.1", port: server.server.port, path: path), handler: handler,
            timeout: .seconds(1), maxQueuedBytes: maxQueuedBytes, maxMessageBytes: maxMessageBytes)
    }

    @Test func `a client sends, receives and says goodbye`() {
        let socket = connect("/ws?a=1")
        #expect(socket.send("hello".utf8))
        #expect(eventually { handler.all.count == 2 })
        socket.close(code: 4001, reason: "enough")
        #expect(eventually { handler.all.count == 3 })
        #expect(handler.all == ["opened", "received hello", "closed 4001 enough"])
        #expect(eventually { server.handler.all == ["opened /ws a=1", "received text 5", "closed"] })
        #expect(!socket.send("more".utf8))
    }

    @Test func `a long time after the handshake the socket is still open`() {
        let socket = connect()
        #expect(eventually { handler.all == ["opened"] })
        server.handler.onServerThread { $0.server.withLock { $0.server }?.setTimer(microseconds: 1_500_000) }
        #expect(eventually { server.handler.all.contains("timer") })  // Beyond the timeout of the handshake.
        socket.send("x".utf8)
        #expect(eventually { handler.all == ["opened", "received x"] })
    }

    @Test func `the server's goodbye arrives with code and reason`() {
        let socket = connect()
        socket.send("close me".utf8)
        #expect(eventually { handler.all == ["opened", "closed 4000 as you wish"] })
    }

    @Test func `what is sent before the goodbye arrives before it`() {
        let socket = connect()
        for number in 1...1_000 { socket.send("\(number)".utf8) }
        socket.close()
        #expect(eventually { handler.all.last?.hasPrefix("closed") == true })
        #expect(eventually { server.handler.all.last == "closed" })
        #expect(server.handler.all.count == 1_002)
    }

    @Test func `a large message is received in one piece, one over the limit closes`() {
        let socket = connect(maxMessageBytes: 500_000)
        socket.send([UInt8](repeating: 0x61, count: 500_000))
        #expect(eventually { handler.receivedBytes.withLock { $0 } == 500_000 })
        socket.send([UInt8](repeating: 0x61, count: 500_001))
        #expect(eventually { handler.all.last?.hasPrefix("closed 1009") == true })
    }

    @Test func `a full queue refuses and tells when there is room`() {
        let socket = connect(maxQueuedBytes: 100_000)
        var accepted = 0
        while socket.send([UInt8](repeating: 0x61, count: 10_000)) { accepted += 1 }
        #expect(accepted >= 9)
        #expect(eventually { handler.all.contains("has room") })
        #expect(socket.send("y".utf8))
        #expect(eventually { handler.all.last == "received y" })
    }

    @Test func `a paused socket holds the server up and loses nothing`() {
        let socket = connect()
        #expect(eventually { handler.all == ["opened"] })
        socket.pauseReading()
        let sent = Box(0)
        let isChoked = Box(false)
        server.handler.onServerThread { handler in
            guard let socket = handler.sockets.values.first else { return }
            while !socket.isChoked && sent.value < 5_000 {
                handler.send([UInt8](repeating: 0x61, count: 10_000), on: socket)
                sent.value += 1
            }
            isChoked.value = socket.isChoked
        }
        #expect(eventually { isChoked.value })
        socket.resumeReading()
        #expect(eventually { handler.receivedBytes.withLock { $0 } == sent.value * 10_000 })
    }

    @Test func `a refused connection says so once`() {
        server.stop()
        _ = connect()
        #expect(eventually { !handler.all.isEmpty })
        client.shutdown()
        #expect(handler.all == ["closed - connection refused or host unreachable"])
    }

    @Test func `a name is resolved, also when it has several addresses`() {
        let socket = client.connect(
            to: WebEndpoint(host: "localhost", port: server.server.port, path: "/ws"), handler: handler)
        socket.send("hi".utf8)
        #expect(eventually { handler.all == ["opened", "received hi"] })
    }

    @Test func `a path without a WebSocket is told apart`() {
        _ = connect("/nothing")
        #expect(eventually { handler.all == ["closed - there is no WebSocket at this path"] })
    }

    @Test func `an unknown host is told apart`() {
        _ = client.connect(to: WebEndpoint(host: "no.such.host.invalid", port: 1), handler: handler)
        #expect(eventually { !handler.all.isEmpty })
        #expect(handler.all == ["closed - the host name is not known, or no socket is free"])
    }

    @Test func `a server that accepts and says nothing is given up`() throws {
        let silent = try SilentServer()
        _ = client.connect(
            to: WebEndpoint(host: "127.0.0.1", port: silent.port), handler: handler, timeout: .milliseconds(200))
        #expect(eventually { handler.all == ["closed - no answer within 0.2 seconds"] })
    }

    @Test func `a cancelled socket is over at once`() {
        let socket = connect()
        #expect(eventually { handler.all == ["opened"] })
        socket.cancel()
        #expect(eventually { handler.all == ["opened", "closed - cancelled"] })
        #expect(eventually { server.handler.all.last == "closed" })
    }

    @Test func `shutting down ends what is open`() {
        _ = connect()
        #expect(eventually { handler.all == ["opened"] })
        client.shutdown()
        #expect(eventually { handler.all == ["opened", "closed - the client was shut down"] })
        _ = connect()
        #expect(eventually { handler.all.count == 3 })
    }

    @Test func `a server that dies is noticed`() {
        _ = connect()
        #expect(eventually { handler.all == ["opened"] })
        server.handler.onServerThread { $0.sockets.values.first.map { _ in } }
        server.stop()
        #expect(eventually { handler.all == ["opened", "closed 1001 the server stops"] })
    }

    @Test func `many sockets share a client`() {
        let handlers = (0..<200).map { _ in RecordingHandler() }
        let sockets = handlers.map { handler in
            client.connect(
                to: WebEndpoint(host: "127.0.0.1", port: server.server.port, path: "/ws"), handler: handler)
        }
        for socket in sockets { socket.send("hi".utf8) }
        #expect(eventually { handlers.allSatisfy { $0.all == ["opened", "received hi"] } })
    }
}
