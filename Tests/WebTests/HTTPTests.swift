import Testing
import Web

struct HTTPTests {
    @Test func `a request gets its answer and the connection is kept`() throws {
        let server = try TestServer()
        let connection = try server.connect()
        for text in ["first", "second", ""] {
            connection.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
            let response = try #require(connection.readResponse())
            #expect(response.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(response.head.contains("connection: keep-alive"))
            #expect(response.body == text)
        }
    }
}
