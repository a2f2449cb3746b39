@testable import Client
import Delivery
import Telemetry
import Testing

@Suite struct MessageReaderTests {
    private func read(_ text: String) throws(MessageError) -> NodeMessage {
        try MessageReader().read(Array(text.utf8))
    }

    @Test func `the points of a telemetry update stay the bytes that arrived`() throws {
        let message = try read(
            """
            {"type":"telemetry_update","stream":"chassis/A-1","lineage":"000000000000000f","prev":4,"seq":6,\
            "data":[{"speed_kmh": 1.50,"x":{"y":[1,2]}} , {"speed_kmh":2}]}
            """)
        guard case .output(let output) = message else { return #expect(Bool(false)) }
        #expect(output.kind == .point && output.stream == StreamID(.chassis, "A-1"))
        #expect(output.lineage == Lineage(15) && output.previous == 4 && output.seq == 6)
        let texts = output.body.elements.map {
            String(decoding: output.body.bytes[Int($0.lowerBound)..<Int($0.upperBound)], as: UTF8.self)
        }
        #expect(texts == [#"{"speed_kmh": 1.50,"x":{"y":[1,2]}}"#, #"{"speed_kmh":2}"#])
    }

    @Test func `an insight has the time of its point`() throws {
        let message = try read(
            """
            {"type":"insight_update","stream":"chassis/A-1","lineage":"000000000000000f","prev":0,"seq":6,\
            "data":{"a":1},"meta":{"generated_at":"2025-09-06T18:40:41.926Z"}}
            """)
        guard case .output(let output) = message else { return #expect(Bool(false)) }
        #expect(output.kind == .insight && output.time == Timestamp(iso8601: "2025-09-06T18:40:41.926Z"))
    }

    @Test func `positions may leave out what equals seq`() throws {
        let message = try read(
            """
            {"type":"heartbeat","positions":{"chassis/A":{"lineage":"000000000000000f","seq":7,"insight":3},\
            "spaceship/B":{"lineage":"?","seq":1}}}
            """)
        guard case .heartbeat(let positions) = message else { return #expect(Bool(false)) }
        #expect(positions == [StreamID(.chassis, "A"): Position(lineage: Lineage(15), seq: 7, insight: 3, alert: 7)])
    }

    @Test func `an acknowledgement lists what was rejected`() throws {
        let message = try read(
            """
            {"type":"ack","source":"s","through":9,"rejected":[{"source_seq":8,"index":2,"field":"lap","value":"x",\
            "reason":"not_a_number","message":"lap is x"}]}
            """)
        guard case .ack("s", 9, let rejected) = message else { return #expect(Bool(false)) }
        #expect(
            rejected == [
                RejectedElement(
                    sourceSeq: 8, index: 2, field: "lap", value: "x", reason: "not_a_number", message: "lap is x")
            ])
    }

    @Test func `an error says what it answers and when to come again`() throws {
        let message = try read(
            #"{"type":"error","code":"overloaded","message":"busy","source":"s","source_seq":3,"retry_after_ms":250}"#)
        guard case .error(let error) = message else { return #expect(Bool(false)) }
        #expect(
            error
                == ErrorMessage(
                    code: "overloaded", message: "busy", id: nil, source: "s", sourceSeq: 3,
                    retryAfter: .milliseconds(250)))
    }

    @Test func `a type of a newer node is passed over`() throws {
        guard case .unknown("news") = try read(#"{"type":"news","to":[]}"#) else { return #expect(Bool(false)) }
    }

    @Test func `a node that goes says who is left, the best first`() throws {
        let message = try read(#"{"type":"moved","to":["ws://b:1/v1/stream",7,"ws://a:1/v1/stream"]}"#)
        guard case .moved(["ws://b:1/v1/stream", "ws://a:1/v1/stream"]) = message else {
            return #expect(Bool(false))
        }
    }

    @Test func `a node says which others there are, and how many of them have what is wanted`() throws {
        let message = try read(#"{"type":"nodes","here":false,"direct":1,"to":["ws://b:1/v1/stream","ws://a:1"]}"#)
        guard case .nodes(let nodes) = message else { return #expect(Bool(false)) }
        #expect(nodes == NodeList(isHere: false, direct: 1, urls: ["ws://b:1/v1/stream", "ws://a:1"]))
    }

    @Test(arguments: [
        "", "{", "[]", "7", #"{"type":7}"#, #"{"type":"ack","source":"s"}"#,
        #"{"type":"ack","source":"s","through":-1}"#,
        #"{"type":"telemetry_update","stream":"x","lineage":"000000000000000f","prev":0,"seq":1,"data":[]}"#,
        #"{"type":"telemetry_update","stream":"chassis/x","lineage":"f","prev":0,"seq":1,"data":[]}"#,
        #"{"type":"telemetry_update","stream":"chassis/x","lineage":"000000000000000f","prev":0,"seq":1,"data":{}}"#,
        #"{"type":"heartbeat","positions":[]}"#, #"{"type":"heartbeat","positions":{"chassis/A":{"seq":1}}}"#,
        #"{"type":"heartbeat","positions":{"chassis/A":7}}"#,
    ])
    func `what is not a message is refused`(text: String) {
        #expect(throws: MessageError.self) { try read(text) }
    }
}
