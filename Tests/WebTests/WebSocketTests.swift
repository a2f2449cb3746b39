import Testing
import Web

struct WebSocketTests {
    let server: TestServer
    let connection: RawConnection

    init() throws {
        server = try TestServer { $0.maxMessageBytes = 100_000 }
        connection = try server.connect()
    }

    @Test func `a message is echoed as text, unmasked and in one frame`() throws {
        #expect(try #require(connection.upgrade("/ws?x=1")).hasPrefix("HTTP/1.1 101 "))
        connection.sendFrame(first: 0x81, Array("hello".utf8))
        let frame = try #require(connection.readFrame())
        #expect(frame.first == 0x81)
        #expect(frame.payload == Array("hello".utf8))
        #expect(server.handler.all == ["opened /ws x=1", "received text 5"])
    }

    @Test func `compression is not agreed to`() throws {
        connection.send(
            "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
        let head = try #require(connection.readResponse()).head
        #expect(head.hasPrefix("HTTP/1.1 101 ") && !head.lowercased().contains("deflate"))
    }

    @Test func `a message in several frames is put together`() throws {
        _ = connection.upgrade("/ws")
        connection.sendFrame(first: 0x01, Array("one ".utf8))
        connection.sendFrame(first: 0x89, Array("ping".utf8))  // A control frame may come in between.
        connection.sendFrame(first: 0x00, Array("two ".utf8))
        connection.sendFrame(first: 0x80, Array("three".utf8))
        let frames = try (0..<2).map { _ in try #require(connection.readFrame()) }
        #expect(frames.contains { $0.first == 0x8A && $0.payload == Array("ping".utf8) })
        #expect(frames.contains { $0.first == 0x81 && $0.payload == Array("one two three".utf8) })
    }

    @Test(arguments: [0, 1, 125, 126, 4_095, 4_096, 4_097, 65_535, 65_536, 100_000])
    func `a message of any size within the limit arrives`(count: Int) throws {
        _ = connection.upgrade("/ws")
        let message = (0..<count).map { UInt8(0x30 + $0 % 10) }
        connection.sendFrame(first: 0x82, message)
        guard count > 0 else {
            #expect(eventually { server.handler.all.contains("received binary 0") })
            return
        }
        let isSame = try #require(connection.readFrame()).payload == message
        #expect(isSame)
    }

    @Test func `a message over the limit closes with 1009`() throws {
        _ = connection.upgrade("/ws")
        connection.sendFrame(first: 0x81, [UInt8](repeating: 0x61, count: 100_001))
        let frame = try #require(connection.readFrame())
        #expect(frame.first == 0x88 && frame.payload.prefix(2) == [0x03, 0xF1])
        #expect(eventually { server.handler.all.last == "closed" })
    }

    @Test func `many small frames cannot pass the limit either`() throws {
        _ = connection.upgrade("/ws")
        connection.sendFrame(first: 0x01, [UInt8](repeating: 0x61, count: 60_000))
        connection.sendFrame(first: 0x00, [UInt8](repeating: 0x61, count: 60_000))
        #expect(try #require(connection.readFrame()).payload.prefix(2) == [0x03, 0xF1])
    }

    @Test(arguments: ["/", "/other", "/ws/x", "/echo"])
    func `an upgrade at another path is answered with 404`(path: String) throws {
        #expect(try #require(connection.upgrade(path)).hasPrefix("HTTP/1.1 404 "))
    }

    @Test func `the server closes with code and reason`() throws {
        _ = connection.upgrade("/ws")
        connection.sendFrame(first: 0x81, Array("close me".utf8))
        let frame = try #require(connection.readFrame())
        #expect(frame.first == 0x88)
        #expect(frame.payload == [0x0F, 0xA0] + Array("as you wish".utf8))
    }

    @Test func `a client's goodbye is answered`() throws {
        _ = connection.upgrade("/ws")
        connection.sendFrame(first: 0x88, [0x03, 0xE8])
        #expect(try #require(connection.readFrame()).first == 0x88)
        #expect(eventually { server.handler.all.last == "closed" })
    }

    @Test func `a stopping server says 1001`() throws {
        _ = connection.upgrade("/ws")
        #expect(eventually { server.handler.all == ["opened /ws"] })
        server.stop()
        let frame = try #require(connection.readFrame())
        #expect(frame.first == 0x88 && frame.payload.prefix(2) == [0x03, 0xE9])
        #expect(server.handler.all == ["opened /ws", "closed"])
    }

    @Test(
        arguments: [
            [0xC1, 0x80, 1, 2, 3, 4], [0x83, 0x80, 1, 2, 3, 4],
            [0x80, 0x81, 1, 2, 3, 4, 0x60], [0x89, 0xFE, 0x00, 0x80, 1, 2, 3, 4],
            [0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4, 5],
        ] as [[UInt8]])
    func `a frame against the protocol ends its connection and no other`(frame: [UInt8]) throws {
        let other = try server.connect()
        _ = other.upgrade("/ws")
        _ = connection.upgrade("/ws")
        connection.send(frame)
        #expect(connection.readToEnd() != nil)
        other.sendFrame(first: 0x81, Array("still here".utf8))
        #expect(try #require(other.readFrame()).payload == Array("still here".utf8))
    }

    @Test func `one buffer goes to many sockets`() throws {
        let others = try (0..<10).map { _ in try server.connect() }
        for other in others { _ = other.upgrade("/ws") }
        server.handler.onServerThread { handler in
            var buffer = [UInt8](repeating: 0, count: WebServer.headroom) + Array("to all".utf8)
            buffer.withUnsafeMutableBytes { buffer in
                let payload = UnsafeMutableRawBufferPointer(rebasing: buffer[WebServer.headroom...])
                for socket in handler.sockets.values { socket.send(payload) }
            }
        }
        for other in others { #expect(try #require(other.readFrame()).payload == Array("to all".utf8)) }
    }

    @Test func `a slow reader chokes its socket and loses nothing`() throws {
        _ = connection.upgrade("/ws")
        let outcome = Box<Int?>(nil)
        server.handler.onServerThread { handler in
            guard let socket = handler.sockets.values.first else { return }
            let message = [UInt8](repeating: 0x61, count: 10_000)
            var sent = 0
            while !socket.isChoked && sent < 10_000 {
                handler.send(message, on: socket)
                sent += 1
            }
            socket.requestWritable()
            outcome.value = sent  // When all are sent, and not before: who reads fewer leaves the socket choked.
        }
        #expect(eventually { outcome.value != nil })
        let sent = try #require(outcome.value)
        #expect(sent > 0 && sent < 10_000)
        #expect(!server.handler.all.contains("writable"))
        for _ in 0..<sent { #expect(connection.readFrame()?.payload.count == 10_000) }
        #expect(eventually { server.handler.all.contains("writable") })
    }

    @Test func `a reader that takes nothing is cut off soon after being closed`() throws {
        _ = connection.upgrade("/ws")
        server.handler.onServerThread { handler in
            guard let socket = handler.sockets.values.first else { return }
            while !socket.isChoked { handler.send([UInt8](repeating: 0x61, count: 10_000), on: socket) }
            socket.close(code: 4008, reason: "too slow")
        }
        #expect(eventually { server.handler.all.last == "closed" })
    }

    @Test func `a socket that has been closed takes nothing`() throws {
        _ = connection.upgrade("/ws")
        let kept = Box<UInt64>(0)
        let outcome = Box<Bool?>(nil)
        server.handler.onServerThread { handler in
            handler.kept = handler.sockets.values.first
            kept.value = handler.kept?.id ?? 0
        }
        #expect(eventually { kept.value != 0 })
        connection.hangUp()
        #expect(eventually { server.handler.all.last == "closed" })
        server.handler.onServerThread { handler in
            var buffer = [UInt8](repeating: 0, count: 100)
            outcome.value = buffer.withUnsafeMutableBytes { buffer in
                handler.kept?.send(UnsafeMutableRawBufferPointer(rebasing: buffer[WebServer.headroom...]))
            }
            handler.kept?.close(code: 1000, reason: "")
            handler.kept?.requestWritable()
        }
        #expect(eventually { outcome.value == false })
    }
}
