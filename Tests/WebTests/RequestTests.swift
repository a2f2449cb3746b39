import Foundation
import Testing
import Web

struct RequestTests {
    let server: TestServer
    let client: WebClient
    let url: String

    init() throws {
        server = try TestServer()
        client = try WebClient()
        url = "http://127.0.0.1:\(server.server.port)"
    }

    @Test func `a response brings status, headers and body`() async throws {
        let response = try await client.request("POST", url + "/echo", body: Array("abc".utf8))
        #expect(response.status == 200)
        #expect(response.header("content-type") == "text/plain")
        #expect(response.body == Array("abc".utf8))
    }

    @Test(arguments: ["GET", "POST", "PUT", "DELETE", "HEAD"])
    func `each method works`(method: String) async throws {
        let response = try await client.request(method, url + "/describe?q=1")
        #expect(response.status == 200)
        #expect(
            String(decoding: response.body, as: UTF8.self).hasPrefix(method == "HEAD" ? "" : "\(method) describe [q=1]")
        )
    }

    @Test func `headers are sent`() async throws {
        let headers = [("user-agent", "tester"), ("accept", "application/json")]
        let response = try await client.request("GET", url + "/describe", headers: headers)
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(text.contains("user-agent:tester") && text.contains("accept:application/json"))
    }

    @Test func `large bodies go both ways`() async throws {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let response = try await client.request("POST", url + "/echo", body: body)
        let isSame = response.body == body  // Apart: the difference of long arrays takes minutes to print.
        #expect(isSame)
    }

    @Test func `requests run side by side`() async throws {
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<50 {
                group.addTask { try await client.request("GET", url + "/large?bytes=\(number)").body.count }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.sorted() == Array(0..<50))
    }

    @Test func `a response over the limit is refused`() async {
        await #expect(throws: WebError.responseTooLarge(limit: 1_000)) {
            try await client.request("GET", url + "/large?bytes=1001", maxResponseBytes: 1_000)
        }
    }

    @Test func `a late response is given up`() async {
        await #expect(throws: WebError.timedOut(host: "127.0.0.1", port: server.server.port)) {
            try await client.request("GET", url + "/later", timeout: .milliseconds(100))
        }
    }

    @Test func `a refused connection is an error that names the server`() async {
        server.stop()
        let error = await #expect(throws: WebError.self) { try await client.request("GET", url) }
        #expect(
            error.map { "\($0)" } ?? "" == "cannot connect to 127.0.0.1:\(server.server.port): "
                + "connection refused or host unreachable")
    }

    @Test func `a cancelled task ends its request`() async throws {
        let request = Task { try await client.request("GET", url + "/later") }
        while !server.handler.all.contains("waiting") { try await Task.sleep(for: .milliseconds(1)) }
        request.cancel()
        let result = await request.result
        #expect(throws: WebError.interrupted(reason: "cancelled")) { try result.get() }
    }

    @Test func `after the shutdown every request fails`() async {
        client.shutdown()
        await #expect(throws: WebError.shutDown) { try await client.request("GET", url) }
    }

    @Test(arguments: ["", "localhost", "https://x/", "http://", "http://x:0/", "http://x:99999/", "http://a b/c d"])
    func `what is no URL is refused`(text: String) {
        #expect(throws: WebError.badURL(text)) { try WebEndpoint(url: text) }
    }

    @Test func `the parts of a URL`() throws {
        #expect(try WebEndpoint(url: "ws://h:81/p?q=1") == WebEndpoint(host: "h", port: 81, path: "/p?q=1"))
        #expect(try WebEndpoint(url: "http://h") == WebEndpoint(host: "h", port: 80, path: "/"))
        #expect(try WebEndpoint(url: "HTTP://h?q") == WebEndpoint(host: "h", port: 80, path: "/?q"))
        #expect(try WebEndpoint(url: "http://[::1]:9/x") == WebEndpoint(host: "::1", port: 9, path: "/x"))
    }
}
