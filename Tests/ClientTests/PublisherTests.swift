import Client
import Testing

@Suite struct PublisherTests {
    private let node = ScriptedNode()

    private func connected() async throws -> ScriptedConnection {
        let connection = try #require(await node.nextConnection())
        connection.open()
        return connection
    }

    @Test func `records go out in the wide shape, numbered`() async throws {
        let publisher = node.client().publisher(source: "pit")
        let connection = try await connected()
        let record = TelemetryRecord(
            chassis: "A", time: UTCTime("2025-09-06T18:40:41.926Z"), track: "barber", lap: 3,
            channels: ["speed_kmh": 181.5, "rpm": 6000])
        #expect(try await publisher.publish([record]) == 1)
        #expect(try await publisher.publish(json: #"{"chassis":"B"}"#) == 2)
        #expect(try await publisher.publish(json: "[]") == 3)
        #expect(
            await connection.heard()
                == """
                {"type":"publish","source":"pit","source_seq":1,"records":[{"chassis":"A",\
                "meta_time":"2025-09-06T18:40:41.926Z","track":"barber","lap":3,"speed_kmh":181.5,"rpm":6000}]}
                """)
        #expect(
            await connection.heard() == #"{"type":"publish","source":"pit","source_seq":2,"records":[{"chassis":"B"}]}"#
        )
        #expect(await connection.heard() == #"{"type":"publish","source":"pit","source_seq":3,"records":[]}"#)
    }

    @Test func `flush waits until everything is acknowledged`() async throws {
        let publisher = node.client().publisher(source: "pit", startingAt: 7)
        let connection = try await connected()
        try await publisher.publish(json: "{}")
        try await publisher.publish(json: "{}")
        async let flushed: Void = publisher.flush()
        connection.acknowledge("pit", through: 7)
        #expect(publisher.acknowledgedThrough == 7)
        connection.acknowledge("pit", through: 8)
        try await flushed
    }

    @Test func `what is not acknowledged goes out again, in order`() async throws {
        let publisher = node.client().publisher(source: "pit")
        let connection = try await connected()
        for _ in 0..<3 { try await publisher.publish(json: "{}") }
        connection.acknowledge("pit", through: 1)
        connection.lose()
        let next = try await connected()
        #expect(await next.heard()?.contains(#""source_seq":2"#) == true)
        #expect(await next.heard()?.contains(#""source_seq":3"#) == true)
    }

    @Test func `publish waits while too much is unacknowledged`() async throws {
        let client = node.client { $0.publisherRecords = 2 }
        let publisher = client.publisher(source: "pit")
        let connection = try await connected()
        try await publisher.publish(json: "[{},{}]")
        async let third = publisher.publish(json: "{}")
        _ = await connection.heard()
        connection.acknowledge("pit", through: 1)
        #expect(try await third == 2)
    }

    @Test func `a publish cancelled while waiting is not published`() async throws {
        let client = node.client { $0.publisherRecords = 1 }
        let publisher = client.publisher(source: "pit")
        try await publisher.publish(json: "{}")
        let task = Task { try await publisher.publish(json: "{}") }
        task.cancel()
        await #expect(throws: SlipstreamError.cancelled) { try await task.value }
        #expect(publisher.lastSeq == 1)
    }

    @Test func `rejected records are told by flush and by the stream`() async throws {
        let publisher = node.client().publisher(source: "pit")
        let connection = try await connected()
        try await publisher.publish(json: "[{},{}]")
        connection.say(
            """
            {"type":"ack","source":"pit","through":1,"rejected":[{"source_seq":1,"index":1,"field":"lap","value":"x",\
            "reason":"not_a_number","message":"lap is x"}]}
            """)
        let error = await #expect(throws: SlipstreamError.self) { try await publisher.flush() }
        guard case .rejected(let rejected)? = error else { return #expect(Bool(false)) }
        #expect(rejected.total == 1 && rejected.kept.first?.index == 1)
        try await publisher.flush()  // They are told once.
        var stream = publisher.rejections.makeAsyncIterator()
        #expect(await stream.next()?.field == "lap")
    }

    @Test func `a publish that is refused for good does not hold up the others`() async throws {
        let publisher = node.client().publisher(source: "pit")
        let connection = try await connected()
        try await publisher.publish(json: "{}")
        try await publisher.publish(json: "{}")
        connection.say(#"{"type":"error","code":"not_json","message":"no","source":"pit","source_seq":2}"#)
        #expect(publisher.acknowledgedThrough == 0)
        connection.acknowledge("pit", through: 1)
        #expect(publisher.acknowledgedThrough == 2)
    }

    @Test func `closing ends those who wait`() async throws {
        let client = node.client()
        let publisher = client.publisher(source: "pit")
        try await publisher.publish(json: "{}")
        let task = Task { try await publisher.flush() }
        await client.close()
        await #expect(throws: SlipstreamError.closed) { try await task.value }
        await #expect(throws: SlipstreamError.closed) { try await publisher.publish(json: "{}") }
    }

    @Test(arguments: ["", "7", "{", "[1", #"{"a":NaN}"#])
    func `what is no record is refused at once`(text: String) async throws {
        let publisher = node.client().publisher()
        await #expect(throws: SlipstreamError.self) { try await publisher.publish(json: text) }
        #expect(publisher.lastSeq == 0)
    }

    @Test func `a number that JSON has not is refused at once`() async throws {
        let publisher = node.client().publisher()
        let record = TelemetryRecord(chassis: "A", channels: ["speed_kmh": .nan])
        await #expect(throws: SlipstreamError.badRecords("speed_kmh of A is nan")) {
            try await publisher.publish([record])
        }
    }

    @Test(arguments: ["localhost:8081", "ftp://x", "ws://", ""])
    func `an address that is none is refused`(url: String) {
        #expect(throws: SlipstreamError.badURL(url)) { try SlipstreamClient(url) }
    }
}
