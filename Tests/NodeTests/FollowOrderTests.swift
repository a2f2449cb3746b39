import Delivery
import JSON
import Telemetry
import Testing

@testable import Node

@Suite struct FollowOrderTests {
    private func hub() throws -> Hub {
        var hub = Hub()
        let stream = try #require(StreamID("chassis/a"))
        _ = hub.announce(stream, shard: 4, number: 0, lineage: Lineage(5), floor: [7, 3, 1])
        var outputs = OutputBatch()
        for seq in 8...12 as ClosedRange<UInt64> {
            Array("{\"n\":\(seq)}".utf8).withUnsafeBytes {
                outputs.append(
                    stream: 0, kind: .point, seq: seq, previous: seq - 1, time: Timestamp(microseconds: 0), json: $0)
            }
        }
        hub.absorb(outputs, shard: 4)
        return hub
    }

    private func read(_ text: String) throws -> FollowOrder? { FollowOrder(try JSONValue.parse(Array(text.utf8))) }

    @Test func `what is written is read again`() throws {
        let order = FollowOrder(shard: 4, streams: try hub().byPlace[4])
        #expect(order.has.values.map(\.seq) == [12])
        #expect(FollowOrder(try JSONValue.parse(order.encoded)) == order)
    }

    @Test func `a shard alone is an order, and positions that make no sense are none`() throws {
        #expect(try read("{\"follow\":4}")?.shard == 4)
        #expect(try read("{\"unfollow\":4}") == nil)
        let odd = try read("{\"follow\":4,\"has\":{\"chassis/a\":[\"5\",1,2,3],\"chassis/b\":[1],\"c\":7}}")
        #expect(odd?.has.isEmpty == true)
    }

    private func tail(after mark: UInt64, lineage: UInt64 = 5) throws -> (seqs: [UInt64], floor: [[UInt64]]) {
        let stream = try #require(StreamID("chassis/a"))
        let has = [stream: Position(lineage: Lineage(lineage), seq: mark, insight: 3, alert: 1)]
        let message = PeerMessage.restored(shard: 4, lineage: 5, streams: try hub().byPlace[4], toOneThatHas: has)
        guard case .restored(_, _, let streams, let tail) = message else { return ([], []) }
        return (tail.entries.map(\.seq), streams.map(\.watermarks))
    }

    @Test func `what the other has is not sent again, and what it has not is`() throws {
        let some = try tail(after: 10)
        #expect(some.seqs == [11, 12] && some.floor == [[10, 3, 1]])
        let all = try tail(after: 20)
        #expect(all.seqs.isEmpty && all.floor == [[12, 3, 1]], "the other is further: it hears again what it has")
        #expect(try tail(after: 2).seqs == [8, 9, 10, 11, 12])
        #expect(try tail(after: 10, lineage: 6).seqs == [8, 9, 10, 11, 12], "a position of another log says nothing")
    }
}
