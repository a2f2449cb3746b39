import Foundation
import Synchronization
import Web

/// A server on its own thread that answers what the tests need, and stops at the end of its scope.
final class TestServer: Sendable {
    let server: WebServer
    let handler: TestHandler
    private let finished = DispatchSemaphore(value: 0)

    init(_ change: (inout WebServerConfiguration) -> Void = { _ in }) throws {
        var configuration = WebServerConfiguration(host: "127.0.0.1", port: 0, webSocketPaths: ["/ws", "/v1/stream"])
        change(&configuration)
        handler = TestHandler()
        server = try WebServer(configuration, handler: handler)
        handler.server.withLock { $0 = WeakServer(server: server) }
        Thread { [server, finished] in
            server.run()
            finished.signal()
        }.start()
    }

    deinit { stop() }

    func stop() {
        server.stop()
        finished.wait()
        finished.signal()  // A second call returns at once.
    }

    func connect() throws -> RawConnection { try RawConnection(port: server.port) }
}

/// A value that one thread leaves for another.
final class Box<Value: Sendable>: Sendable {
    private let content: Mutex<Value>

    init(_ value: Value) { content = Mutex(value) }

    var value: Value {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}

struct WeakServer: Sendable { weak var server: WebServer? }

/// `@unchecked Sendable`: all but the mutexes is used by the server's thread only.
final class TestHandler: WebHandler, @unchecked Sendable {
    let server = Mutex(WeakServer())
    let events = Mutex<[String]>([])
    /// Run on the server's thread at the next `wake()`.
    let work = Mutex<[@Sendable (TestHandler) -> Void]>([])
    var sockets: [UInt64: ServerSocket] = [:]
    var waiting: [HTTPExchange] = []
    var kept: ServerSocket?
    var onTimer: () -> Void = {}
    /// Set before anybody connects.
    var onWritable: ((ServerSocket) -> Void)?

    func handle(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        switch request.path {
        case "/echo": exchange.respond(status: 200, headers: [("content-type", "text/plain")], body: request.body)
        case "/describe": exchange.respond(status: 200, body: Array(describe(request).utf8))
        case "/large":
            let count = Int(request.queryValue("bytes") ?? "") ?? 0
            exchange.respond(status: 200, body: [UInt8](repeating: 0x61, count: count))
        case "/count": exchange.respond(status: 200, body: Array("\(request.body.count)".utf8))
        case "/later":
            waiting.append(exchange)
            note("waiting")
        case "/header": exchange.respond(status: 200, headers: [("x-text", request.queryValue("text") ?? "")])
        default: exchange.respond(status: 404)
        }
    }

    func opened(_ socket: ServerSocket) {
        sockets[socket.id] = socket
        note("opened \(socket.path)" + socket.query.map { " \($0.name)=\($0.value)" }.joined())
    }

    func received(_ message: UnsafeRawBufferPointer, isText: Bool, on socket: ServerSocket) {
        let text = String(decoding: message, as: UTF8.self)
        note("received \(isText ? "text" : "binary") \(message.count)")
        if text == "close me" { return socket.close(code: 4000, reason: "as you wish") }
        send(Array(message), on: socket, asText: isText)
    }

    func writable(_ socket: ServerSocket) {
        guard let onWritable else { return note("writable") }
        onWritable(socket)
    }

    func closed(_ socket: ServerSocket) {
        sockets[socket.id] = nil
        note("closed")
    }

    func woken() {
        note("woken")
        let jobs = work.withLock { work in
            defer { work = [] }
            return work
        }
        for job in jobs { job(self) }
    }

    func timer() {
        note("timer")
        onTimer()
    }

    func send(_ bytes: [UInt8], on socket: ServerSocket, asText: Bool = true) {
        var buffer = [UInt8](repeating: 0, count: WebServer.headroom) + bytes
        buffer.withUnsafeMutableBytes { buffer in
            _ = socket.send(UnsafeMutableRawBufferPointer(rebasing: buffer[WebServer.headroom...]), asText: asText)
        }
    }

    func onServerThread(_ job: @escaping @Sendable (TestHandler) -> Void) {
        work.withLock { $0.append(job) }
        server.withLock { $0.server }?.wake()
    }

    var all: [String] { events.withLock { $0 } }

    private func note(_ event: String) { events.withLock { $0.append(event) } }

    private func describe(_ request: HTTPRequest) -> String {
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
        let headers = request.headers.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: "|")
        return "\(request.method) \(request.segments.joined(separator: ",")) [\(query)] [\(headers)] \(request.peer)"
    }
}

/// Waits until the condition holds; gives up after ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if condition() { return true }
        usleep(1_000)  // Between two looks; the condition decides.
    }
    return condition()
}
