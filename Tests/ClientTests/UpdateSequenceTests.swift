import Client
import Testing

@Suite struct UpdateSequenceTests {
    private let node = ScriptedNode()
    private let lineage = "000000000000000f"

    /// A client's first connection, open and subscribed.
    private func connected(at seq: Int = 0) async throws -> ScriptedConnection {
        let connection = try #require(await node.nextConnection())
        connection.open()
        _ = await connection.heard()
        connection.subscribed(at: seq)
        return connection
    }

    @Test func `a position moves when the next update is asked for`() async throws {
        let updates = node.client().updates(of: "chassis/A")
        var iterator = updates.makeAsyncIterator()
        let connection = try await connected(at: 10)
        connection.points(after: 10, through: 12)
        connection.points(after: 12, through: 13)
        let update = try #require(try await iterator.next())
        #expect(updates.positions["chassis/A"]?.seq == 10)
        #expect(updates.positions(after: update)["chassis/A"]?.seq == 12)
        _ = try await iterator.next()
        #expect(updates.positions["chassis/A"] == StreamPosition(lineage: lineage, seq: 12, insight: 10, alert: 10))
    }

    @Test func `leaving the loop unsubscribes and iterating again goes on behind what was handled`() async throws {
        let updates = node.client().updates(of: "chassis/A")
        func firstTwo() async throws -> [UInt64] {
            var seqs: [UInt64] = []
            for try await update in updates {
                seqs.append(update.seq)
                if seqs.count == 2 { break }
            }
            return seqs
        }
        async let seqs = firstTwo()
        let connection = try await connected()
        connection.points(after: 0, through: 1)
        connection.points(after: 1, through: 2)
        #expect(try await seqs == [1, 2])
        #expect(await connection.heard() == nil)
        #expect(connection.isClosed)

        async let more = firstTwo()
        let next = try #require(await node.nextConnection())
        next.open()
        let subscribe = await next.heard()
        #expect(subscribe?.contains(#""positions":{"chassis/A":{"lineage":"\#(lineage)","seq":1"#) == true)
        next.points(after: 1, through: 2)
        next.points(after: 2, through: 3)
        #expect(try await more == [2, 3])
    }

    @Test func `a lost connection is made again where it was, and nobody notices`() async throws {
        let client = node.client()
        var status = client.status.makeAsyncIterator()
        var iterator = client.updates(of: "chassis/A").makeAsyncIterator()
        let connection = try await connected()
        connection.points(after: 0, through: 3)
        connection.lose()
        let next = try #require(await node.nextConnection())
        next.open()
        #expect(await next.heard()?.contains(#""seq":3,"#) == true)
        next.points(after: 1, through: 5)
        connection.points(after: 3, through: 9)  // What the old one still says counts for nothing.
        #expect(try await iterator.next()?.seq == 3)
        guard case .telemetry(let update)? = try await iterator.next() else { return #expect(Bool(false)) }
        #expect(update.points.map(\.seq) == [4, 5] && update.points.map { $0["n"] } == [4, 5])
        #expect(await status.next()?.change == .connected(url: "ws://test"))
        #expect(await status.next()?.change == .disconnected(reason: "reset"))
    }

    @Test func `a loop that is slow stops reading, and goes on when half is handled`() async throws {
        let client = node.client { $0.bufferBytes = 5_000 }
        var iterator = client.updates(of: "chassis/A").makeAsyncIterator()
        let connection = try await connected()
        var seq = 0
        while connection.isReading {
            connection.points(after: seq, through: seq + 1)
            seq += 1
            try #require(seq < 100)
        }
        #expect(seq > 5)
        var handled = 0
        while !connection.isReading {
            #expect(try await iterator.next()?.seq == UInt64(handled + 1))
            handled += 1
        }
        #expect(handled >= seq / 2 && handled < seq)
    }

    @Test func `cancelling ends the sequence`() async throws {
        let updates = node.client().updates(of: "chassis/A")
        let task = Task {
            for try await _ in updates {}
            return true
        }
        let connection = try await connected()
        task.cancel()
        #expect(try await task.value)
        #expect(await connection.heard() == nil)
    }

    @Test func `a task cancelled before it began gets nothing`() async throws {
        let updates = node.client().updates(of: "chassis/A")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            for try await _ in updates { return false }
            return true
        }
        #expect(try await task.value)
    }

    @Test func `closing the client ends every sequence`() async throws {
        let client = node.client()
        let updates = client.updates(of: "chassis/A")
        let task = Task { for try await _ in updates {} }
        let connection = try await connected()
        await client.close()
        try await task.value
        #expect(connection.isClosed)
        var late = client.updates(of: "chassis/A").makeAsyncIterator()
        await #expect(throws: SlipstreamError.closed) { try await late.next() }
    }

    @Test func `what a node refuses for good ends the sequence with the reason`() async throws {
        var iterator = node.client().updates(of: "chassis/A").makeAsyncIterator()
        let connection = try await connected()
        connection.say(#"{"type":"error","code":"too_many_subscriptions","message":"64 are enough","id":"updates"}"#)
        await #expect(throws: SlipstreamError.refused(code: "too_many_subscriptions", message: "64 are enough")) {
            try await iterator.next()
        }
        #expect(try await iterator.next() == nil)
    }

    @Test func `what is no message ends the sequence`() async throws {
        var iterator = node.client().updates(of: "chassis/A").makeAsyncIterator()
        let connection = try await connected()
        connection.points(after: 0, through: 1)
        connection.say("hello")
        #expect(try await iterator.next()?.seq == 1)
        await #expect(throws: SlipstreamError.self) { try await iterator.next() }
    }

    @Test func `a resync is an update, and points go on behind it`() async throws {
        let updates = node.client().updates(of: "chassis/A")
        var iterator = updates.makeAsyncIterator()
        let connection = try await connected(at: 5)
        connection.say(
            """
            {"type":"resync","stream":"chassis/A","reason":"lineage_changed","lineage":"00000000000000aa","seq":2,\
            "insight":1,"alert":0,"state":{"a":1}}
            """)
        guard case .resync(let resync)? = try await iterator.next() else { return #expect(Bool(false)) }
        #expect(resync.reason == "lineage_changed" && resync.seq == 2 && resync.state?["a"] == 1)
        connection.say(
            #"{"type":"telemetry_update","stream":"chassis/A","lineage":"00000000000000aa","prev":2,"seq":3,"data":[{}]}"#
        )
        #expect(try await iterator.next()?.seq == 3)
        #expect(
            updates.positions["chassis/A"]
                == StreamPosition(lineage: "00000000000000aa", seq: 2, insight: 1, alert: 0))
    }

    @Test(arguments: ["chassis", "chassis/", "spaceship/A", ""])
    func `a name that is no stream is told at the first step`(name: String) async throws {
        var iterator = node.client().updates(of: name).makeAsyncIterator()
        await #expect(throws: SlipstreamError.badStream(name)) { try await iterator.next() }
    }

    @Test func `a position that no node gave is told at the first step`() async throws {
        let from = StartPoint.positions(["chassis/A": StreamPosition(lineage: "mine", seq: 3)])
        var iterator = node.client().updates(of: "chassis/A", from: from).makeAsyncIterator()
        await #expect(throws: SlipstreamError.badPosition(stream: "chassis/A")) { try await iterator.next() }
    }

    @Test func `two tasks cannot share a sequence`() async throws {
        let updates = node.client().updates(of: "chassis/A")
        let first = updates.makeAsyncIterator()
        var second = updates.makeAsyncIterator()
        await #expect(throws: SlipstreamError.alreadyIterating) { try await second.next() }
        withExtendedLifetime(first) {}
    }

    @Test func `points come one by one and are handled one by one`() async throws {
        let points = node.client().points(of: "chassis/A")
        var iterator = points.makeAsyncIterator()
        let connection = try await connected()
        connection.points(after: 0, through: 3)
        #expect(try await iterator.next()?.seq == 1)
        #expect(try await iterator.next()?["n"] == 2)
        #expect(points.positions["chassis/A"]?.seq == 1)
    }

    @Test func `with latest only the newest counts, and what it stands for is told`() async throws {
        var iterator = node.client().updates(of: "chassis/A", behavior: .latest).makeAsyncIterator()
        let connection = try await connected()
        connection.say(
            """
            {"type":"telemetry_update","stream":"chassis/A","lineage":"\(lineage)","prev":0,"seq":40,"conflated":40,\
            "data":[{"n":40}]}
            """)
        guard case .telemetry(let update)? = try await iterator.next() else { return #expect(Bool(false)) }
        #expect(update.conflated == 40 && update.points.map(\.seq) == [40])
    }

    @Test func `a subscription by time begins where the node says`() async throws {
        let time = try #require(UTCTime("2025-09-06T18:40:00Z"))
        var iterator = node.client().updates(of: "chassis/A", from: .time(time)).makeAsyncIterator()
        let connection = try #require(await node.nextConnection())
        connection.open()
        #expect(await connection.heard()?.contains(#""from":{"time":"2025-09-06T18:40:00.000Z"}"#) == true)
        connection.subscribed(at: 0)
        connection.points(after: 700, through: 702)
        #expect(try await iterator.next()?.seq == 702)
        connection.points(after: 703, through: 704)
        let next = try #require(await node.nextConnection())
        next.open()
        #expect(await next.heard()?.contains(#""seq":702,"#) == true)
    }

    @Test func `positions survive being written and read`() throws {
        let positions: Positions = ["chassis/A": StreamPosition(lineage: lineage, seq: 3, insight: 2)]
        #expect(positions["chassis/A"]?.alert == nil)
        var copy = positions
        copy["chassis/A"]?.seq = 4
        #expect(copy != positions)
    }
}
