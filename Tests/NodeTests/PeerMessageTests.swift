import Delivery
import Telemetry
import Testing

@testable import Node

@Suite struct PeerMessageTests {
    private func outputs() -> OutputBatch {
        var outputs = OutputBatch()
        for seq in 8...9 as ClosedRange<UInt64> {
            Array("{\"n\":\(seq)}".utf8).withUnsafeBytes {
                outputs.append(
                    stream: 0, kind: .point, seq: seq, previous: seq - 1,
                    time: Timestamp(microseconds: Int64(seq)), json: $0)
            }
        }
        return outputs
    }

    private func sample() throws -> [PeerMessage] {
        let stream = try #require(StreamID("chassis/a"))
        let restored = RestoredStream(id: stream, watermarks: [7, 3, 0], insight: Array("{}".utf8))
        return [
            .beat, .restored(shard: 4, lineage: 99, streams: [restored], tail: outputs()),
            .restored(shard: 4, lineage: nil, streams: [], tail: OutputBatch()),
            .outputs(shard: 5, lineage: 7, outputs()), .gone(shard: 6),
        ]
    }

    @Test func `what is written is read again`() throws {
        for message in try sample() {
            #expect(try PeerMessage(message.encoded).encoded == message.encoded)
        }
        guard case .restored(4, 99, let streams, let tail) = try PeerMessage(try sample()[1].encoded) else {
            Issue.record("another message")
            return
        }
        #expect(streams.first?.watermarks == [7, 3, 0])
        #expect(tail.entries.map(\.seq) == [8, 9])
    }

    @Test func `what is cut off anywhere is refused`() throws {
        for message in try sample() {
            let bytes = message.encoded
            for count in 0..<bytes.count {
                #expect(throws: BinaryError.self) { try PeerMessage(Array(bytes.prefix(count))) }
            }
        }
    }

    @Test func `outputs of a stream that the message does not name are refused`() throws {
        let message = PeerMessage.restored(shard: 0, lineage: 1, streams: [], tail: outputs())
        #expect(throws: BinaryError.self) { try PeerMessage(message.encoded) }
    }

    @Test func `a shard is given with the newest outputs of its streams, and where those begin`() throws {
        let stream = try #require(StreamID("chassis/a"))
        var hub = Hub()
        _ = hub.announce(stream, shard: 0, number: 0, lineage: Lineage(5), floor: [7, 3, 0])
        hub.absorb(outputs(), shard: 0)
        let message = PeerMessage.restored(shard: 0, lineage: 5, streams: hub.byPlace[0])
        guard case .restored(0, 5, let streams, let tail) = message else {
            Issue.record("another message")
            return
        }
        #expect(streams.map(\.watermarks) == [[7, 3, 0]])
        #expect(tail.entries.map(\.seq) == [8, 9])
        #expect(hub.byPlace[0][0].ring.tail(maxBytes: 8).floor == [8, 3, 0])
    }
}
