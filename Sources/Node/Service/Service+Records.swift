import Delivery
import Replication
import Telemetry
import Web

extension Service {
    /// `…/records?from_seq=1&limit=100`: points as they arrived, from the ring or else from the log.
    func records(of stream: HubStream, _ request: HTTPRequest, _ exchange: HTTPExchange) {
        let from = request.queryValue("from_seq").map { Int($0) ?? -1 } ?? 1
        let limit = request.queryValue("limit").map { Int($0) ?? -1 } ?? 100
        guard from >= 1 else {
            return exchange.respond(
                .failure(400, "bad_from_seq", "from_seq is not a whole number from 1"))
        }
        guard (1...10_000).contains(limit) else {
            return exchange.respond(.failure(400, "bad_limit", "limit is not a whole number in 1…10000"))
        }
        let after = Position(lineage: stream.lineage, seq: UInt64(from) - 1)
        if let ordinal = stream.ring.ordinal(after: after, kinds: [.point]) {
            return exchange.respond(.json(RecordsPage(stream.id, stream.lineage, stream.ring, ordinal, limit).json))
        }
        recordsFromLog(of: stream, after, limit, exchange)
    }

    private func recordsFromLog(of stream: HubStream, _ after: Position, _ limit: Int, _ exchange: HTTPExchange) {
        let token = takeToken()
        exchanges[token] = exchange
        let (inbox, replays, id, lineage) = (node.inbox, node.replays, stream.id, stream.lineage)
        // Readers of the hub count from 1 up; requests from the other end.
        let key = UInt64.max - token
        let all = [after.seq, after.insight, after.alert]
        replays.read(key, .init(stream: id, watermarks: all, maxBytes: limit * 256)) { outcome in
            replays.forget(key)
            let response: HTTPResponse
            switch outcome {
            case .outputs(let ring): response = .json(RecordsPage(id, lineage, ring, ring.first, limit).json)
            case .gap(let watermarks, _):
                response = .failure(410, "log_truncated", "the log begins after seq \(watermarks[0]); ask from there")
            case .failed(let reason), .unavailable(let reason): response = .failure(503, "replay_failed", reason)
            }
            inbox.post(.answer(token, response))
        }
    }
}

/// `{"stream":…,"lineage":…,"records":[{"seq":…,"data":{…}},…]}`
struct RecordsPage {
    private(set) var json = JSONWriter()

    init(_ stream: StreamID, _ lineage: Lineage, _ ring: StreamRing, _ start: UInt64, _ limit: Int) {
        json.raw("{\"stream\":")
        json.string(stream.description)
        json.raw(",\"lineage\":")
        json.string(lineage.description)
        json.raw(",\"records\":[")
        var count = 0
        for ordinal in start..<max(start, ring.end) where ring[ordinal].kind == .point {
            guard count < limit else { break }
            if count > 0 { json.comma() }
            count += 1
            json.raw("{\"seq\":")
            json.integer(ring[ordinal].seq)
            json.raw(",\"data\":")
            ring.withBytes(of: ring[ordinal]) { json.raw($0) }
            json.raw("}")
        }
        json.raw("]}")
    }
}
