import Foundation
import Synchronization
import Testing
import Web

struct LifecycleTests {
    @Test func `a port in use is named in the error`() throws {
        let server = try TestServer()
        let port = server.server.port
        let error = #expect(throws: WebError.self) { try TestServer { $0.port = port } }
        #expect(error == .portInUse(host: "127.0.0.1", port: port))
        #expect(
            "\(WebError.portInUse(host: "0.0.0.0", port: 8081))"
                == "port 8081 on 0.0.0.0 is in use; choose another with --port")
    }

    @Test(arguments: ["nonsense", "300.1.1.1", "", "8.8.8.8"])
    func `an address that is not ours is named in the error`(host: String) {
        #expect(throws: WebError.badHost(host)) { try TestServer { $0.host = host } }
    }

    @Test(arguments: ["0.0.0.0", "127.0.0.1", "127.0.0.7"])
    func `each address of this machine can be listened on`(host: String) throws {
        let server = try TestServer { $0.host = host }
        let connection = try RawConnection(port: server.server.port, host: host == "0.0.0.0" ? "127.0.0.1" : host)
        connection.send("GET /describe HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try #require(connection.readResponse()).body.hasPrefix("GET describe"))
    }

    @Test func `a port is free again at once although connections to it were open`() throws {
        let first = try TestServer()
        let port = first.server.port
        let connection = try first.connect()
        _ = connection.upgrade("/ws")
        first.stop()
        let second = try TestServer { $0.port = port }
        let next = try second.connect()
        #expect(try #require(next.upgrade("/ws")).hasPrefix("HTTP/1.1 101 "))
    }

    @Test func `wakes from many threads are heard and coalesced`() throws {
        let server = try TestServer()
        let ran = Box(0)
        DispatchQueue.concurrentPerform(iterations: 1_000) { _ in
            server.handler.onServerThread { _ in ran.value += 1 }
        }
        #expect(eventually { ran.value == 1_000 })
        #expect(server.handler.all.count <= 1_000)
    }

    @Test func `the timer fires once, and not early`() throws {
        let server = try TestServer()
        let clock = ContinuousClock()
        let start = clock.now
        server.handler.onServerThread { $0.server.withLock { $0.server }?.setTimer(microseconds: 20_000) }
        #expect(eventually { server.handler.all.contains("timer") })
        #expect(clock.now - start >= .milliseconds(20))
        server.handler.onServerThread { _ in }
        #expect(eventually { server.handler.all.count == 3 })
        #expect(server.handler.all == ["woken", "timer", "woken"])
    }

    @Test func `stop, wake and stop again are safe after the end`() throws {
        let server = try TestServer()
        server.stop()
        server.server.wake()
        server.stop()
    }

    @Test func `a server that never ran can go`() throws {
        _ = try WebServer(WebServerConfiguration(host: "127.0.0.1"), handler: TestHandler())
    }
}
