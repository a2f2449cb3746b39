import Kafka
import Telemetry
import Web

/// Carries out the faults that are asked for over HTTP. Lives on the server's thread.
final class KafkaSimFaults: RequestHandler {
    private struct Broker {
        var isUp = true
        var delayMilliseconds = 0
    }

    /// What was asked for makes no sense. Answered with 400.
    private struct BadRequest: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    static let requests: [(name: String, request: MockRequest)] = [
        ("produce", .produce), ("fetch", .fetch), ("list-offsets", .listOffsets), ("metadata", .metadata),
        ("offset-commit", .offsetCommit), ("offset-fetch", .offsetFetch), ("find-coordinator", .findCoordinator),
        ("api-versions", .apiVersions), ("init-producer-id", .initProducerID),
    ]

    private let cluster: MockCluster
    private var brokers: [Broker]
    private var topics: [KafkaSimTopic] = []

    init(_ cluster: MockCluster, topics: [KafkaSimTopic]) throws(KafkaError) {
        self.cluster = cluster
        brokers = Array(repeating: Broker(), count: cluster.brokerCount)
        for topic in topics { try make(topic) }
    }

    func handle(_ request: HTTPRequest, _ exchange: HTTPExchange) {
        do {
            if request.method == "GET", request.segments.isEmpty { return respond(exchange, 200, state) }
            guard request.method == "POST" else { throw BadRequest("faults are asked for with POST") }
            try carryOut(request)
            respond(exchange, 200, state)
        } catch let error as BadRequest {
            fail(exchange, 400, error.reason)
        } catch {
            fail(exchange, 409, "\(error)")
        }
    }
}

extension KafkaSimFaults {
    private func carryOut(_ request: HTTPRequest) throws {
        let words = request.segments.map(String.init)
        switch (words.first, words.count) {
        case ("broker", 3): try change(broker: words[1], words[2], request)
        case ("leader", 4): try moveLeader(of: words[1], words[2], to: words[3])
        case ("topic", 2):
            guard KafkaSimTopic.isName(words[1]) else { throw BadRequest("'\(words[1])' cannot be a topic's name") }
            let count = try number("partitions", of: request, in: 1...KafkaSimTopic.partitionsMax)
            try make(KafkaSimTopic(name: words[1], partitions: count))
        case ("errors", 2): try push(words[1], request)
        case ("errors", 3) where words[2] == "clear": try cluster.clearErrors(for: try kind(words[1]))
        default: throw BadRequest("there is no fault '\(request.path)'; slipstream kafka-sim --help lists them")
        }
    }

    private func change(broker word: String, _ change: String, _ request: HTTPRequest) throws {
        let broker = word == "all" ? nil : try id(word)
        let places = broker.map { [$0 - 1] } ?? Array(brokers.indices)
        switch change {
        case "up", "down":
            try cluster.setBroker(broker, isUp: change == "up")
            for place in places { brokers[place].isUp = change == "up" }
        case "delay":
            let milliseconds = try number("ms", of: request, in: 0...600_000)
            try cluster.setDelay(ofBroker: broker, milliseconds: milliseconds)
            for place in places { brokers[place].delayMilliseconds = milliseconds }
        default: throw BadRequest("a broker can go up, down or be given a delay, not '\(change)'")
        }
    }

    private func moveLeader(of topic: String, _ partition: String, to word: String) throws {
        guard let known = topics.first(where: { $0.name == topic }) else {
            throw BadRequest("there is no topic '\(topic)'")
        }
        guard let number = Int(partition), (0..<known.partitions).contains(number) else {
            throw BadRequest("'\(partition)' is no partition of \(topic), which has \(known.partitions)")
        }
        try cluster.setLeader(ofPartition: number, in: topic, to: word == "none" ? nil : try id(word))
    }

    private func push(_ word: String, _ request: HTTPRequest) throws {
        let kind = try kind(word)
        let errors = try (request.queryValue("errors") ?? "").split(separator: ",").map { name in
            guard let error = MockError(rawValue: String(name)) else { throw BadRequest("there is no error '\(name)'") }
            return error
        }
        guard let broker = request.queryValue("broker") else {
            guard !errors.isEmpty else { throw BadRequest("say which errors, as in ?errors=transport,not-leader") }
            return try cluster.push(errors, for: kind)
        }
        let milliseconds = try number("ms", of: request, in: 0...600_000)
        try cluster.push(errors.first, delayMilliseconds: milliseconds, for: kind, toBroker: try id(broker))
    }

    private func make(_ topic: KafkaSimTopic) throws(KafkaError) {
        try cluster.createTopic(topic.name, partitions: topic.partitions)
        topics.append(topic)
    }

    private func kind(_ word: String) throws -> MockRequest {
        guard let found = KafkaSimFaults.requests.first(where: { $0.name == word }) else {
            throw BadRequest("there is no request '\(word)'")
        }
        return found.request
    }

    private func id(_ word: String) throws -> Int {
        guard let id = Int(word), (1...brokers.count).contains(id) else {
            throw BadRequest("'\(word)' is no broker; there are 1…\(brokers.count)")
        }
        return id
    }

    private func number(_ name: String, of request: HTTPRequest, in range: ClosedRange<Int>) throws -> Int {
        guard let number = request.queryValue(name).flatMap({ Int($0) }), range.contains(number) else {
            throw BadRequest("?\(name)= must be a whole number in \(range.lowerBound)…\(range.upperBound)")
        }
        return number
    }
}

// MARK: Answers

extension KafkaSimFaults {
    private var state: [UInt8] {
        var json = JSONWriter()
        json.raw("{\"addresses\":")
        json.string(cluster.addresses)
        json.raw(",\"brokers\":[")
        for (place, broker) in brokers.enumerated() {
            if place > 0 { json.comma() }
            let delay = broker.delayMilliseconds
            json.raw("{\"id\":\(place + 1),\"up\":\(broker.isUp),\"delay_ms\":\(delay)}".utf8)
        }
        json.raw("],\"topics\":[")
        for (place, topic) in topics.enumerated() {
            if place > 0 { json.comma() }
            json.raw("{\"name\":")
            json.string(topic.name)
            json.raw(",\"partitions\":\(topic.partitions)}".utf8)
        }
        json.raw("]}\n")
        return json.bytes
    }

    private func respond(_ exchange: HTTPExchange, _ status: Int, _ body: [UInt8]) {
        exchange.respond(status: status, headers: [("content-type", "application/json")], body: body)
    }

    private func fail(_ exchange: HTTPExchange, _ status: Int, _ reason: String) {
        var json = JSONWriter()
        json.raw("{\"error\":{\"code\":\"\(status == 400 ? "bad_request" : "refused")\",\"message\":".utf8)
        json.string(reason)
        json.raw(",\"details\":{}}}\n")
        respond(exchange, status, json.bytes)
    }
}
