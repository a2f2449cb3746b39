import Client
import Testing

/// What a client does when its node says that it is about to go.
@Suite struct MovingTests {
    private let node = ScriptedNode()

    private func next(_ address: Destination, opens: Bool = true) async throws -> ScriptedConnection {
        let connection = try #require(await node.nextConnection())
        #expect(connection.address == address)
        if opens { connection.open() }
        return connection
    }

    private func subscribed(to seq: Int = 3) async throws -> ScriptedConnection {
        let connection = try await next(.listed(0))
        #expect(await connection.heard() != nil)
        connection.subscribed(at: 0)
        connection.points(after: 0, through: seq)
        return connection
    }

    @Test func `the old node delivers until the new one serves, and nothing comes twice or is left out`() async throws {
        let client = node.client()
        var status = client.status.makeAsyncIterator()
        var iterator = client.updates(of: "chassis/A").makeAsyncIterator()
        let old = try await subscribed()
        #expect(try await iterator.next()?.seq == 3)
        old.say(#"{"type":"moved","to":["ws://b","ws://c"]}"#)
        let new = try await next(.told(url: "ws://b"))
        #expect(await new.heard()?.contains(#""seq":3,"#) == true)
        old.points(after: 3, through: 5)
        #expect(try await iterator.next()?.seq == 5)
        #expect(!old.isClosed)
        new.subscribed(at: 3)
        #expect(old.isClosed)
        old.points(after: 5, through: 9)  // What the old one still says counts for nothing.
        new.points(after: 3, through: 6)
        guard case .telemetry(let update)? = try await iterator.next() else { return #expect(Bool(false)) }
        #expect(update.points.map(\.seq) == [6])
        #expect(await status.next()?.change == .connected(url: "ws://test"))
        #expect(await status.next()?.change == .connected(url: "ws://b"))
    }

    @Test func `those the node names are tried in order, then those the program gave`() async throws {
        var iterator = node.client(urls: ["ws://x", "ws://y"]).updates(of: "chassis/A").makeAsyncIterator()
        let old = try await subscribed()
        #expect(try await iterator.next()?.seq == 3)
        old.say(#"{"type":"moved","to":["nonsense","ws://b","ws://c"]}"#)
        try await next(.told(url: "ws://b"), opens: false).lose(.broken(reason: "refused"))
        let full = try await next(.told(url: "ws://c"))
        full.say(#"{"type":"error","code":"overloaded","message":"full","id":"updates","retry_after_ms":900}"#)
        let new = try await next(.listed(1))
        #expect(full.isClosed && !old.isClosed)
        new.subscribed(at: 3)
        new.points(after: 3, through: 4)
        #expect(try await iterator.next()?.seq == 4)
        #expect(old.isClosed)
    }

    @Test func `a node that goes before the new one serves does not stop the move`() async throws {
        var iterator = node.client().updates(of: "chassis/A").makeAsyncIterator()
        let old = try await subscribed()
        #expect(try await iterator.next()?.seq == 3)
        old.say(#"{"type":"moved","to":["ws://b"]}"#)
        let new = try await next(.told(url: "ws://b"), opens: false)
        old.lose(.closed(code: 1001, reason: "draining"))
        new.open()
        #expect(await new.heard()?.contains(#""seq":3,"#) == true)
        new.points(after: 3, through: 4)
        #expect(try await iterator.next()?.seq == 4)
    }

    @Test func `when nobody takes over the connection is used while it lasts`() async throws {
        var iterator = node.client().updates(of: "chassis/A").makeAsyncIterator()
        let old = try await subscribed()
        #expect(try await iterator.next()?.seq == 3)
        old.say(#"{"type":"moved","to":[]}"#)
        try await next(.listed(0)).lose(.closed(code: 4013, reason: "draining"))
        old.points(after: 3, through: 4)
        #expect(try await iterator.next()?.seq == 4)
        old.lose(.closed(code: 1001, reason: ""))
        let again = try await next(.listed(0))
        #expect(await again.heard()?.contains(#""seq":4,"#) == true)
    }

    @Test func `a publisher sends again what is not acknowledged, once the new node has said something`() async throws {
        let publisher = node.client().publisher(source: "pit")
        let old = try await next(.listed(0))
        for _ in 0..<3 { try await publisher.publish(json: "{}") }
        for number in 1...3 { #expect(await old.heard()?.contains("\"source_seq\":\(number),") == true) }
        old.say(#"{"type":"moved","to":["ws://b"]}"#)
        let new = try await next(.told(url: "ws://b"))
        #expect(await new.heard() == #"{"type":"ping"}"#)
        try await publisher.publish(json: "{}")
        #expect(await old.heard()?.contains(#""source_seq":4,"#) == true)
        old.acknowledge("pit", through: 2)
        new.say(#"{"type":"pong"}"#)
        #expect(old.isClosed)
        for number in 3...4 { #expect(await new.heard()?.contains("\"source_seq\":\(number),") == true) }
        new.acknowledge("pit", through: 4)
        try await publisher.flush()
    }

    @Test func `closing the client closes both connections`() async throws {
        let client = node.client()
        var iterator = client.updates(of: "chassis/A").makeAsyncIterator()
        let old = try await subscribed()
        #expect(try await iterator.next()?.seq == 3)
        old.say(#"{"type":"moved","to":["ws://b"]}"#)
        let new = try await next(.told(url: "ws://b"))
        await client.close()
        #expect(old.isClosed && new.isClosed)
        #expect(try await iterator.next() == nil)
    }
}
