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
    @Test func `a client sends, receives and says goodbye`() throws {
        let server = try TestServer()
        let client = try WebClient()
        let handler = RecordingHandler()
        let socket = client.connect(
            to: WebEndpoint(host: "127.0.0.1", port: server.server.port, path: "/ws?a=1"), handler: handler)
        #expect(socket.send("hello".utf8))
        #expect(eventually { handler.all.count == 2 })
        socket.close(code: 4001, reason: "enough")
        #expect(eventually { handler.all.count == 3 })
        #expect(handler.all == ["opened", "received hello", "closed 4001 enough"])
        #expect(eventually { server.handler.all == ["opened /ws a=1", "received text 5", "closed"] })
    }

    @Test func `a request gets its response`() async throws {
        let server = try TestServer()
        let client = try WebClient()
        let url = "http://127.0.0.1:\(server.server.port)"
        let got = try await client.request("GET", url + "/describe/?x=1")
        #expect(got.status == 404)
        let body = [UInt8](repeating: 0x62, count: 300_000)
        let echoed = try await client.request("POST", url + "/echo", headers: [("content-type", "text/x")], body: body)
        #expect(echoed.status == 200)
        let isSame = echoed.body == body  // Apart: the difference of long arrays takes minutes to print.
        #expect(isSame, "\(echoed.body.count) bytes came back")
    }

    @Test func `a refused connection says so once`() throws {
        let port = try TestServer().server.port
        let client = try WebClient()
        let handler = RecordingHandler()
        _ = client.connect(to: WebEndpoint(host: "127.0.0.1", port: port, path: "/ws"), handler: handler)
        #expect(eventually { !handler.all.isEmpty })
        client.shutdown()
        #expect(handler.all == ["closed - connection refused or host unreachable"])
    }
}
