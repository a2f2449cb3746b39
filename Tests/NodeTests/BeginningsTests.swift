import Client
import Testing
import Web

/// Many clients that come at once.
@Suite(.serialized) struct BeginningsTests {
    @Test func `too many subscriptions at once are told when to come back, and the SDK does`() async throws {
        let node = try NodeProcess(["--resumes-per-second", "1"])
        try await node.start()
        let sockets = try (0..<5).map { _ in try SocketLog(node.address, path: "/v1/stream") }
        for socket in sockets { try await eventually("it is open") { socket.isOpen } }
        for socket in sockets { socket.send(#"{"type":"subscribe","id":"s","streams":["chassis/*"]}"#) }
        try await eventually("each is answered") {
            sockets.allSatisfy { !$0.messages(of: "subscribed").isEmpty || $0.closeCode != nil }
        }
        let refused = sockets.filter { $0.closeCode == 4013 }
        #expect((1...4).contains(refused.count))
        for socket in refused {
            #expect(socket.closeReason.wholeMatch(of: /too many .*; retry after [1-9][0-9]* ms/) != nil)
        }

        let client = try SlipstreamClient("ws://\(node.address)")
        var iterator = client.updates(of: "chassis/A", from: .earliest).makeAsyncIterator()
        let body = #"{"chassis":"A","track":"sebring","lap":1,"speed_kmh":180}"#
        let published = try await node.request("POST", "/api/ingest", body: body).status
        #expect(published == 200)
        #expect(try await iterator.next() != nil)
        await client.close()
    }
}
