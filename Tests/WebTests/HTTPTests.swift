import Glibc
import Synchronization
import Testing
import Web

struct HTTPTests {
    let server: TestServer
    let connection: RawConnection

    init() throws {
        server = try TestServer { $0.maxBodyBytes = 1_000_000 }
        connection = try server.connect()
    }

    @Test func `a request gets its answer and the connection is kept`() throws {
        for text in ["first", "second", ""] {
            connection.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
            let response = try #require(connection.readResponse())
            #expect(response.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(response.head.contains("connection: keep-alive"))
            #expect(response.body == text)
        }
    }

    @Test func `method, path, query, headers and peer arrive`() throws {
        connection.send(
            "GET /describe?a=1&b=x%26y%20z&c=&d HTTP/1.1\r\nHost: h\r\nAccept: text/plain\r\nUser-Agent: me\r\n\r\n")
        let body = try #require(connection.readResponse()).body
        #expect(body == "GET describe [a=1|b=x&y z|c=|d=] [accept:text/plain|host:h|user-agent:me] 127.0.0.1")
    }

    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    func `each method is passed on`(method: String) throws {
        connection.send("\(method) /describe HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        #expect(try #require(connection.readResponse()).body.hasPrefix("\(method) describe"))
    }

    @Test func `a request without a body needs no length`() throws {
        for method in ["POST", "DELETE", "GET"] {
            let connection = try server.connect()
            connection.send("\(method) /describe HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try #require(connection.readResponse()).body.hasPrefix("\(method) describe"))
        }
    }

    @Test func `percent codes in a path are decoded`() throws {
        connection.send("GET /describe%2d HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse()).head.hasPrefix("HTTP/1.1 404 "))
        connection.send("GET /%64escribe HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse()).body.hasPrefix("GET describe"))
    }

    @Test func `HEAD gets the headers of GET and no body`() throws {
        connection.send("HEAD /large?bytes=1000 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse(withBody: false)).head.contains("content-length: 1000"))
        connection.send("GET /large?bytes=3 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse()).body == "aaa")
    }

    @Test func `requests sent ahead are answered in order`() throws {
        connection.send((1...20).map { "GET /large?bytes=\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
        for number in 1...20 {
            #expect(try #require(connection.readResponse(), "answer \(number)").body.utf8.count == number)
        }
    }

    @Test func `bodies sent ahead end the connection, and the server lives on`() throws {
        let request = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
        connection.send(String(repeating: request, count: 20))
        #expect(connection.readToEnd() != nil)
        let other = try server.connect()
        other.send(request)
        #expect(try #require(other.readResponse()).body == "ab")
    }

    @Test func `a body in many pieces is put together`() throws {
        let body = String(repeating: "0123456789", count: 20_000)
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
        for piece in 0..<20 { connection.send(String(body.dropFirst(piece * 10_000).prefix(10_000))) }
        let isSame = try #require(connection.readResponse()).body == body
        #expect(isSame)
    }

    @Test func `a large answer arrives whole`() throws {
        connection.send("GET /large?bytes=20000000 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse()).body.utf8.count == 20_000_000)
        connection.send("GET /large?bytes=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse()).body == "a")
    }

    @Test func `the connection ends where the client asks for it`() throws {
        connection.send("GET /large?bytes=5 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        let text = try #require(connection.readToEnd())
        #expect(text.contains("connection: close") && text.hasSuffix("\r\n\r\naaaaa"))
    }

    @Test func `HTTP 1 0 is answered and closed`() throws {
        connection.send("GET /large?bytes=5 HTTP/1.0\r\n\r\n")
        #expect(try #require(connection.readToEnd()).hasSuffix("\r\n\r\naaaaa"))
    }

    @Test func `an answer may come later`() throws {
        connection.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n")
        server.handler.onServerThread { _ in }
        #expect(eventually { server.handler.all.contains("waiting") })
        server.handler.onServerThread { $0.waiting.removeFirst().respond(status: 202) }
        #expect(try #require(connection.readResponse()).head.hasPrefix("HTTP/1.1 202 Accepted"))
    }

    @Test func `an answer for a client that has gone does nothing`() throws {
        var gone: RawConnection? = try server.connect()
        gone?.send("GET /later HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(eventually { server.handler.all.contains("waiting") })
        gone = nil
        server.handler.onServerThread { $0.waiting.removeFirst().respond(status: 202) }
        connection.send("GET /large?bytes=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse()).body == "a")
    }

    @Test func `a client that has gone costs nothing while its answer is awaited`() throws {
        for method in ["GET", "POST"] {
            try server.connect().send("\(method) /later HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        }
        #expect(eventually { server.handler.all.filter { $0 == "waiting" }.count == 2 })
        let busy = Box<Double?>(nil)
        server.handler.onServerThread { handler in
            let start = threadSeconds()
            handler.onTimer = { busy.value = threadSeconds() - start }
            handler.server.withLock { $0.server }?.setTimer(microseconds: 300_000)
        }
        #expect(eventually { busy.value != nil })
        #expect(try #require(busy.value) < 0.05, "seconds of work within 0.3 s of waiting")
    }

    @Test func `a client that leaves in the middle harms nobody`() throws {
        for _ in 0..<20 {
            try server.connect().send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\nabc")
            try server.connect().send("GET /large?bytes=9000000 HTTP/1.1\r\nHost: h\r\n\r\n")
        }
        connection.send("GET /large?bytes=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse()).body == "a")
    }

    @Test func `a line break in a header value cannot add a header`() throws {
        connection.send("GET /header?text=a%0d%0ax-evil:%201 HTTP/1.1\r\nHost: h\r\n\r\n")
        let head = try #require(connection.readResponse()).head
        #expect(!head.contains("\r\nx-evil"))
    }
}

/// Processor time of the calling thread, in seconds.
private func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
