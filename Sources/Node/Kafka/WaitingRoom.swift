import Replication
import Synchronization
import Threads
import Web

/// Answers where the node will be, as long as it waits for Kafka: probes learn that it is alive, not ready, and why.
final class WaitingRoom: Sendable {
    let port: Int
    private let server: WebServer
    private let handler: Handler
    private let worker: Worker

    init(_ config: NodeConfig, reason: String) throws(NodeError) {
        var web = WebServerConfiguration()
        web.host = config.host
        web.port = config.port
        let handler = Handler(reason)
        do throws(WebError) { server = try WebServer(web, handler: handler) } catch { throw .web(error) }
        self.handler = handler
        port = server.port
        let server = server
        do throws(ThreadError) {
            worker = try Worker("waiting room") { server.run() }
        } catch { throw .log(.io(reason: "\(error)")) }
    }

    func tell(_ reason: String) { handler.reason.withLock { $0 = reason } }

    /// Returns when the port is free.
    func close() {
        server.stop()
        worker.join()
    }
}

private final class Handler: RequestHandler, Sendable {
    let reason: Mutex<String>

    init(_ reason: String) { self.reason = Mutex(reason) }

    func handle(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        guard request.segments != ["healthz"] else { return exchange.respond(.text("ok\n")) }
        exchange.respond(.failure(503, "waiting_for_kafka", reason.withLock { $0 }, retryAfterSeconds: 1))
    }
}
