import Delivery
import Telemetry
import Web

extension Service {
    /// `/v1/streams/{kind}/{id}`. A ring that was just made has no point yet: the newest is in the log then.
    func state(of stream: HubStream, _ exchange: HTTPExchange) {
        let page = StreamPage(id: stream.id, position: stream.end, insight: stream.insight)
        let ring = stream.ring
        let newest = (ring.first..<ring.end).reversed().lazy.map { ring[$0] }.first { $0.kind == .point }
        if let newest {
            let latest = ring.withBytes(of: newest) { Array($0) }
            return exchange.respond(.json(page.json(latest: latest)))
        }
        guard stream.end.seq > 0 else { return exchange.respond(.json(page.json(latest: nil))) }
        let token = takeToken()
        exchanges[token] = exchange
        let (inbox, replays) = (node.inbox, node.replays)
        let key = UInt64.max - token
        let before = [stream.end.seq - 1, stream.end.insight, stream.end.alert]
        replays.read(key, .init(stream: stream.id, watermarks: before, maxBytes: 1)) { outcome in
            replays.forget(key)
            var latest: [UInt8]?
            if case .outputs(let outputs) = outcome {
                let point = (outputs.first..<outputs.end).lazy.map { outputs[$0] }.first { $0.kind == .point }
                latest = point.map { point in outputs.withBytes(of: point) { Array($0) } }
            }
            inbox.post(.answer(token, .json(page.json(latest: latest))))
        }
    }
}

/// `{"stream":…,"position":{…},"latest":{…},"insight":{…}}`
private struct StreamPage: Sendable {
    let id: StreamID
    let position: Position
    let insight: [UInt8]

    /// - Parameter latest: the newest point; `nil` when the log does not have it any more.
    func json(latest: [UInt8]?) -> JSONWriter {
        var json = JSONWriter()
        json.raw("{\"stream\":")
        json.string(id.description)
        json.raw(",\"position\":")
        json.position(position)
        json.raw(",\"latest\":")
        if let latest { json.raw(latest) } else { json.raw("null") }
        json.raw(",\"insight\":")
        if insight.isEmpty { json.raw("null") } else { json.raw(insight) }
        json.raw("}")
        return json
    }
}
