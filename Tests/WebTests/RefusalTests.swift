import Testing
import Web

struct RefusalTests {
    let server: TestServer
    let connection: RawConnection

    init() throws {
        server = try TestServer { configuration in
            configuration.maxBodyBytes = 1_000_000
            configuration.readTimeoutSeconds = 2
            configuration.bodyTimeoutSeconds = 2
        }
        connection = try server.connect()
    }

    @Test func `a body over the limit is refused at once`() throws {
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000001\r\n\r\n")
        let response = try #require(connection.readResponse())
        #expect(response.head.hasPrefix("HTTP/1.1 413 "))
        #expect(response.body.contains("\"code\":\"too_large\""))
        #expect(response.body.contains("\"limit\":1000000"))
    }

    @Test func `the refusal of a large body reaches a client that sends all of it first`() throws {
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n")
        connection.send([UInt8](repeating: 0x61, count: 3_000_000))
        #expect(try #require(connection.readResponse()).head.hasPrefix("HTTP/1.1 413 "))
    }

    @Test func `a body as long as the limit is taken`() throws {
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
        connection.send([UInt8](repeating: 0x61, count: 1_000_000))
        #expect(try #require(connection.readResponse()).body.utf8.count == 1_000_000)
    }

    @Test func `a client that waits for leave to send is told to go on`() throws {
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        #expect(try #require(connection.readResponse()).head.hasPrefix("HTTP/1.1 100 Continue\r\n"))
        connection.send("abc")
        #expect(try #require(connection.readResponse()).body == "abc")
    }

    @Test func `a client that waits for leave to send too much is refused`() throws {
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
        #expect(try #require(connection.readResponse()).head.hasPrefix("HTTP/1.1 413 "))
    }

    @Test func `a body in chunks is refused with the reason`() throws {
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        let response = try #require(connection.readResponse())
        #expect(response.head.hasPrefix("HTTP/1.1 411 "))
        #expect(response.body.contains("length_required"))
    }

    @Test(arguments: [
        "hello\r\n\r\n", "GET\r\n\r\n", "FROB /echo HTTP/1.1\r\nHost: h\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}\r\n\r\n",
        "GET http HTTP/1.1\r\nHost: h\r\n\r\n", "{\"speed\":1}\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: h\r\nX-Long: \(String(repeating: "x", count: 20_000))\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: \(String(repeating: "x", count: 20_000))\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET /echo FTP/1.1\r\nHost: h\r\n\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
    func `what is malformed is answered with a 4xx or closed, and the server lives on`(text: String) throws {
        connection.send(text)
        let answer = connection.readResponse()
        // The library answers some of these itself, as HTTP/1.0.
        #expect(
            answer.map { $0.head.hasPrefix("HTTP/1.1 4") || $0.head.hasPrefix("HTTP/1.0 4") } ?? connection.hasEnded)
        let other = try server.connect()
        other.send("GET /large?bytes=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(other.readResponse()).body == "a")
    }

    @Test func `a client that never finishes its headers is dropped`() throws {
        connection.send("GET /echo HTTP/1.1\r\nHost:")
        #expect(connection.readToEnd() != nil)
    }

    @Test func `a client that says nothing is dropped`() throws {
        #expect(connection.readToEnd() != nil)
    }

    @Test func `a client that stops in its body is dropped`() throws {
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
        #expect(connection.readToEnd() != nil)
    }

    @Test func `a client that drips its body is dropped`() throws {
        connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\nabc")
        #expect(
            eventually {
                connection.send("x")
                return connection.peekEnd()
            })
    }

    @Test func `connections beyond the limit are closed on arrival`() throws {
        let small = try TestServer { $0.maxConnections = 2 }
        let first = try small.connect()
        let second = try small.connect()
        for connection in [first, second] {
            connection.send("GET /large?bytes=1 HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try #require(connection.readResponse()).body == "a")
        }
        let third = try small.connect()
        third.send("GET /large?bytes=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(third.readToEnd() == "")
        first.hangUp()
        #expect(
            eventually {
                guard let next = try? small.connect() else { return false }
                next.send("GET /large?bytes=1 HTTP/1.1\r\nHost: h\r\n\r\n")
                return next.readResponse()?.body == "a"
            })
    }
}
