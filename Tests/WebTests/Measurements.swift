import Foundation
import Synchronization
import Testing
import Web

/// Figures for docs/performance.md rather than tests: `SLIPSTREAM_MEASURE=1 swift test -c release --filter Measurements`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SLIPSTREAM_MEASURE"] != nil), .serialized)
struct Measurements {
    @Test(arguments: [1, 100])
    func `frames of 1 KB pushed per second`(socketCount: Int) throws {
        let server = try TestServer()
        let pusher = Pusher(total: 400_000, bytes: 1_024)
        server.handler.onWritable = { pusher.push(on: $0) }
        let opened = try (0..<socketCount).map { _ in try server.connect() }
        for connection in opened { _ = connection.upgrade("/ws") }
        let clock = ContinuousClock()
        nonisolated(unsafe) let connections = opened  // Read there, and only closed here.
        let reader = Thread { for _ in 0..<Int.max where !drain(connections, pusher) { return } }
        reader.start()
        let start = clock.now
        server.handler.onServerThread { handler in for socket in handler.sockets.values { pusher.push(on: socket) } }
        while pusher.left.value > 0 { usleep(500) }  // Between two looks; the count decides.
        print("push to \(socketCount): \(Int(400_000 / (clock.now - start).seconds)) frames/s")
        for connection in connections { connection.hangUp() }
    }

    @Test func `bodies of 115 KB posted per second`() throws {
        let server = try TestServer()
        let connection = try server.connect()
        let request =
            Array("POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 115000\r\n\r\n".utf8)
            + [UInt8](repeating: 0x61, count: 115_000)
        let start = ContinuousClock.now
        for _ in 0..<5_000 {
            connection.send(request)
            #expect(connection.readResponse() != nil)
        }
        print("posts of 115 KB: \(Int(5_000 / (ContinuousClock.now - start).seconds)) per second")
    }

    @Test func `requests of the client per second`() async throws {
        let server = try TestServer()
        let client = try WebClient()
        let start = ContinuousClock.now
        for _ in 0..<2_000 { _ = try await client.request("GET", "http://127.0.0.1:\(server.server.port)/echo") }
        print("client requests: \(Int(2_000 / (ContinuousClock.now - start).seconds)) per second")
    }

    @Test func `round trip of a message`() throws {
        let server = try TestServer()
        let client = try WebClient()
        let handler = PingHandler(count: 10_000)
        let socket = client.connect(
            to: WebEndpoint(host: "127.0.0.1", port: server.server.port, path: "/ws"), handler: handler)
        while !handler.isDone.value { usleep(1_000) }  // Between two looks; the handler decides.
        let sorted = handler.times.value.sorted()
        print("round trip: p50 \(sorted[sorted.count / 2]) p99 \(sorted[sorted.count * 99 / 100])")
        socket.close()
    }

    @Test func `delay of a timer of one millisecond`() throws {
        let server = try TestServer()
        let delays = Box<[Duration]>([])
        server.handler.onServerThread { handler in
            var start = ContinuousClock.now
            handler.onTimer = {
                delays.value.append(ContinuousClock.now - start)
                start = ContinuousClock.now
                handler.server.withLock { $0.server }?.setTimer(microseconds: 1_000)
            }
            handler.onTimer()
        }
        while delays.value.count < 1_001 { usleep(1_000) }  // Between two looks; the count decides.
        let sorted = delays.value.dropFirst().sorted()
        print("timer of 1 ms: p50 \(sorted[sorted.count / 2]) p99 \(sorted[sorted.count * 99 / 100])")
    }

    @Test func `memory of an idle connection`() throws {
        let server = try TestServer()
        let warm = try server.connect()
        _ = warm.upgrade("/ws")
        let before = residentKilobytes()
        let connections = try (0..<1_000).map { _ in try server.connect() }
        for connection in connections { _ = connection.upgrade("/ws") }
        print("idle connection: \(Double(residentKilobytes() - before) / 1_000) KB, both ends in this process")
        withExtendedLifetime(connections) {}
    }
}

/// Sends the same message until the total is reached. Used by the server's thread, but for `left`.
private final class Pusher: @unchecked Sendable {
    let left: Box<Int>
    private var buffer: [UInt8]
    private var unsent: Int

    init(total: Int, bytes: Int) {
        left = Box(total)
        unsent = total
        buffer = [UInt8](repeating: 0x61, count: WebServer.headroom + bytes)
    }

    func push(on socket: ServerSocket) {
        buffer.withUnsafeMutableBytes { buffer in
            let payload = UnsafeMutableRawBufferPointer(rebasing: buffer[WebServer.headroom...])
            for _ in 0..<64 where unsent > 0 && !socket.isChoked {
                socket.send(payload)
                unsent -= 1
            }
        }
        left.value = unsent
        if unsent > 0 { socket.requestWritable() }
    }
}

/// Sends a message, and the next when it has come back.
private final class PingHandler: WebSocketClientHandler {
    let times = Box<[Duration]>([])
    let isDone = Box(false)
    private let count: Int
    private let sentAt = Box(ContinuousClock.now)

    init(count: Int) { self.count = count }

    func opened(_ socket: ClientSocket) { ping(socket) }

    func received(_ message: UnsafeRawBufferPointer, on socket: ClientSocket) {
        times.value.append(ContinuousClock.now - sentAt.value)
        if times.value.count == count { isDone.value = true } else { ping(socket) }
    }

    func closed(_ socket: ClientSocket, code: UInt16?, reason: String) { isDone.value = true }

    private func ping(_ socket: ClientSocket) {
        sentAt.value = ContinuousClock.now
        socket.send("ping".utf8)
    }
}

/// - Returns: false when nothing is left to come.
private func drain(_ connections: [RawConnection], _ pusher: Pusher) -> Bool {
    for connection in connections { connection.discardWhatIsThere() }
    usleep(300)  // Reading without a pause would take the kernel's lock of the socket from the sender.
    return pusher.left.value > 0
}

private func residentKilobytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
}

extension Duration {
    fileprivate var seconds: Double { self / .seconds(1) }
}
