import Delivery
import Replication
import Telemetry
import Web

/// The HTTP API: which request goes where.
extension Service {
    func handle(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        metrics.requests += 1
        let isRead = request.method == "GET" || request.method == "HEAD"
        switch (request.segments.map(String.init), isRead) {
        case (["healthz"], true): exchange.respond(.text("ok\n"))
        case (["readyz"], true): exchange.respond(readiness)
        case (["metrics"], true): answerMetrics(exchange)
        // Also while catching up: it says where else to go.
        case (["v1", "cluster"], true): answerCluster(request, exchange)
        case (let path, true) where path.count == 4 && path[0] == "v1" && path[1] == "shards" && path[3] == "state":
            answerState(of: path[2], exchange)
        case (["v1", "drain"], true): answerDeparture(exchange)
        case (["v1", "drain"], false) where request.method == "POST": answerDrain(exchange)
        case (["api", "ingest"], false) where request.method == "POST": ingest(request, exchange)
        case (let path, true) where path.first == "api" || path.first == "v1":
            isLive ? read(path, request, exchange) : exchange.respond(.failure(503, "catching_up", notLive))
        case (_, true): exchange.respond(pages.response(for: request.path))
        default:
            exchange.respond(
                .failure(405, "method_not_allowed", "\(request.method) \(request.path) is not offered"))
        }
    }

    private func read(_ path: [String], _ request: HTTPRequest, _ exchange: HTTPExchange) {
        switch (path.count, path.prefix(2)) {
        case (2, ["api", "health"]): exchange.respond(.json(health))
        case (2, ["api", "recent"]): whenServed(allShards) { [self] in exchange.respond(recentPoints("200")) }
        case (3, ["api", "recent"]): whenServed(allShards) { [self] in exchange.respond(recentPoints(path[2])) }
        case (2, ["v1", "streams"]): whenServed(allShards) { [self] in exchange.respond(.json(streamList)) }
        case (4, ["v1", "streams"]): withStream(path, exchange) { [self] in state(of: $0, exchange) }
        case (5, ["v1", "streams"]) where path[4] == "records":
            withStream(path, exchange) { [self] in records(of: $0, request, exchange) }
        default: exchange.respond(.failure(404, "not_found", "there is nothing at \(request.path)"))
        }
    }

    private var notLive: String { "the node is catching up with the log; /readyz says when it is ready" }

    private var readiness: HTTPResponse {
        if let fault = node.kafka?.fault { return .failure(503, "kafka_failed", "\(fault)") }
        if node.departure.phase != .serving {
            return .failure(503, "draining", "the node leaves; its shards are handed over")
        }
        return isLive ? .text("ready\n") : .failure(503, "catching_up", notLive)
    }

    private var allShards: Set<Int> { Set(0..<node.config.partitions) }

    /// Waits until this node has the stream, from another if need be.
    private func withStream(
        _ path: [String], _ exchange: HTTPExchange, _ body: @escaping (HubStream) -> Void
    ) {
        guard let id = StreamID("\(path[2])/\(path[3])") else {
            let kinds = StreamKind.allCases.map(\.rawValue).joined(separator: ", ")
            return exchange.respond(.failure(404, "no_such_kind", "kind is \(path[2]); it must be one of \(kinds)"))
        }
        let shard = shard(of: id)
        whenServed([shard]) { [self] in
            if let stream = hub.streams[id] { return body(stream) }
            guard sources.isServed(shard) else {
                let message = "no replica of \(id) can be reached; try again"
                return exchange.respond(.failure(503, "not_served", message, retryAfterSeconds: 1))
            }
            exchange.respond(.failure(404, "no_such_stream", "\(id) has sent nothing yet"))
        }
    }

    /// Telemetry records taken over HTTP, WebSocket and UDP.
    var acceptedTotal: UInt64 { metrics.accepted + node.udpCounts.accepted }

    // MARK: Pitwall

    private var health: JSONWriter {
        var json = JSONWriter()
        let seconds = Double(Timestamp.monotonic.microseconds - metrics.startedAt.microseconds) / 1_000_000
        json.raw("{\"ok\":true,\"now\":")
        json.timestamp(.wall)
        json.raw(",\"node\":")
        json.string(node.config.nodeID)
        json.raw(",\"version\":")
        json.string(slipstreamVersion)
        json.raw(",\"metrics\":{\"messagesReceived\":")
        json.integer(acceptedTotal)
        json.raw(",\"messagesBroadcast\":")
        json.integer(hub.counters.framesSent)
        json.raw(",\"wsClients\":")
        json.integer(hub.sessionCount + feed.clientCount)
        json.raw(",\"errors\":")
        json.integer(metrics.refusedTotal)
        json.raw(",\"messageRate\":")
        json.number(Double(acceptedTotal) / max(seconds, 0.001), decimals: 2)
        json.raw(",\"ringBufferSize\":")
        json.integer(recent.count)
        json.raw("}}")
        return json
    }

    private func recentPoints(_ text: String) -> HTTPResponse {
        guard let count = Int(text), count >= 1 else {
            return .failure(400, "bad_count", "n is '\(text)'; it must be a whole number from 1, at most 5000 count")
        }
        var json = JSONWriter()
        json.raw("{\"recent\":")
        recent.write(min(count, 5_000), into: &json)
        json.raw("}")
        return .json(json)
    }

    // MARK: Streams

    private var streamList: JSONWriter {
        var json = JSONWriter()
        json.raw("{\"streams\":[")
        for (index, stream) in hub.streams.values.sorted(by: { $0.id < $1.id }).enumerated() {
            if index > 0 { json.comma() }
            json.raw("{\"stream\":")
            json.string(stream.id.description)
            json.raw(",\"position\":")
            json.position(stream.end)
            json.raw("}")
        }
        json.raw("]}")
        return json
    }

    // MARK: Ingest

    private func ingest(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        // A node that drains serves on until others have taken over.
        guard isLive, !isDraining else { return exchange.respond(readiness) }
        let isCSV = request.headers["content-type"]?.lowercased().hasPrefix("text/csv") ?? false
        let accepted: Gateway.Accepted
        do throws(Refusal) {
            accepted = try gateway.take(request.body, as: isCSV ? .csv : .json, time: .wall)
        } catch {
            metrics.refuse(error.reason, count: 1)
            return exchange.respond(.failure(400, error.reason.rawValue, error.description))
        }
        guard accepted.count > 0 else {
            count(accepted)
            return exchange.respond(.ingested(accepted, status: accepted.rejected.isEmpty ? 200 : 400))
        }
        let isTaken = append(accepted.records) { result in
            switch result {
            case .success: exchange.respond(.ingested(accepted, status: 200))
            case .failure(let error):
                self.logFailed(error)
                exchange.respond(.logFailure(error))
            }
        }
        guard isTaken else {
            metrics.overloaded += 1
            return exchange.respond(.overloaded)
        }
        count(accepted)
    }
}

/// The version of this program.
package let slipstreamVersion = "0.1.0"

extension HTTPResponse {
    static func logFailure(_ error: LogError) -> HTTPResponse {
        .failure(error.isFull ? 507 : 503, error.publishCode, "\(error)", retryAfterSeconds: 1)
    }
}

extension LogError {
    /// What a publisher is told: whether the same may come again, and how.
    var publishCode: String {
        switch self {
        case .full: "log_full"
        case .unavailable: "log_unavailable"
        case .ambiguous: "log_in_doubt"
        default: "log_failed"
        }
    }

    var isFull: Bool { if case .full = self { true } else { false } }
}
