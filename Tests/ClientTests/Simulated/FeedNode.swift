import Delivery
import JSON
import Simulation
import Telemetry

/// A node that does what docs/protocol.md asks of subscriptions, and where that leaves room, does it awkwardly: frames
/// of any size, kinds beside each other, frames repeated, resumes that begin too early. With `omits` it also leaves
/// frames out now and then, which no node should.
struct FeedNode: SimulatedNode {
    struct Output {
        let kind: OutputKind
        let seq: UInt64
        let previous: UInt64
    }

    fileprivate struct Reader {
        var sent: Position
        var told: Position
    }
    fileprivate struct Subscriber {
        var request: SubscribeRequest?
        var readers: [StreamID: Reader] = [:]
        var answers: [[UInt8]] = []
        var mayAnswer = true
    }

    let lineage = Lineage(0x9f0c_0000_0000_0001)
    private(set) var said: [StreamID: [Output]] = [:]
    private var latest: [StreamID: Position] = [:]
    private var subscribers: [Int: Subscriber] = [:]
    /// Misbehaves as described above.
    var isAwkward = true
    var omits = false
    private(set) var omitted = 0

    // MARK: Streams

    mutating func say(using random: inout SeededRandom) {
        let id = StreamID(.chassis, "GR86-\(Int.random(in: 1...3, using: &random))")
        var latest = latest[id] ?? Position(lineage: lineage, seq: 0)
        let isNew = latest.seq == 0
        add(.point, latest.seq + 1, to: id, &latest)
        if Int.random(in: 0..<3, using: &random) == 0 {
            add(.insight, latest.seq, to: id, &latest)
            if Bool.random(using: &random) { add(.alert, latest.seq, to: id, &latest) }
        }
        self.latest[id] = latest
        guard isNew else { return }
        for wire in subscribers.keys {
            subscribers[wire]?.begin(id, at: Position(lineage: lineage, seq: 0))
        }
    }

    private mutating func add(_ kind: OutputKind, _ seq: UInt64, to id: StreamID, _ latest: inout Position) {
        said[id, default: []].append(Output(kind: kind, seq: seq, previous: latest[kind]))
        latest[kind] = seq
    }

    func end(of id: StreamID) -> Position { latest[id] ?? Position(lineage: lineage, seq: 0) }

    // MARK: Messages

    mutating func receive(_ message: [UInt8], on wire: Int, using random: inout SeededRandom) {
        let parser = JSONParser()
        guard let message = try? message.withUnsafeBytes({ try ClientMessage($0, parser: parser) }) else { return }
        switch message {
        case .subscribe(let request): subscribe(request, on: wire, using: &random)
        case .ping: subscribers[wire, default: Subscriber()].answers.append(Array("{\"type\":\"pong\"}".utf8))
        case .publish, .unsubscribe: break
        }
    }

    private mutating func subscribe(_ request: SubscribeRequest, on wire: Int, using random: inout SeededRandom) {
        var subscriber = subscribers[wire] ?? Subscriber()
        subscriber.request = request
        var positions: [StreamID: Position] = [:]
        for id in said.keys.sorted() {
            var position = Position(lineage: lineage, seq: 0)
            if case .latest = request.from { position = end(of: id) }
            if case .positions(let known) = request.from { position = known[id] ?? position }
            positions[id] = position
            if isAwkward, case .positions = request.from, position.seq > 0 {
                for kind in OutputKind.allCases where Int.random(in: 0..<3, using: &random) == 0 {
                    position[kind] -= min(position[kind], UInt64.random(in: 0...5, using: &random))
                }
            }
            subscriber.begin(id, at: position)
        }
        var json = JSONWriter()
        json.raw("{\"type\":\"subscribed\",\"id\":")
        json.string(request.id)
        json.raw(",\"positions\":")
        json.positions(positions)
        json.raw("}")
        subscriber.answers.append(json.bytes)
        subscribers[wire] = subscriber
    }

    mutating func closed(_ wire: Int) { subscribers[wire] = nil }

    // MARK: Sending

    mutating func send(on wire: Int, using random: inout SeededRandom) -> [[UInt8]] {
        guard var subscriber = subscribers[wire] else { return [] }
        var messages = subscriber.answers
        subscriber.answers = []
        if let request = subscriber.request {
            for id in subscriber.readers.keys.sorted() {
                let budget = isAwkward ? Int.random(in: 0...12, using: &random) : 100
                messages += frames(of: id, request, &subscriber, budget, using: &random)
            }
            if isAwkward, Int.random(in: 0..<60, using: &random) == 0 {
                messages.append(Array("{\"type\":\"moved\",\"to\":[\"ws://a\",\"ws://b\"]}".utf8))
            }
            if !isAwkward || Int.random(in: 0..<4, using: &random) == 0 { messages.append(heartbeat(&subscriber)) }
        }
        subscribers[wire] = subscriber
        return messages
    }

    private mutating func frames(
        of id: StreamID, _ request: SubscribeRequest, _ subscriber: inout Subscriber, _ budget: Int,
        using random: inout SeededRandom
    ) -> [[UInt8]] {
        guard var sent = subscriber.readers[id]?.sent else { return [] }
        let due = (said[id] ?? []).filter { $0.seq > sent[$0.kind] && request.include.contains($0.kind) }.prefix(budget)
        var frames: [[UInt8]] = []
        let points = due.filter { $0.kind == .point }
        if let first = points.first, let last = points.last {
            frames.append(frame(.point, id, first.previous, last.seq, points.map { "{\"n\":\($0.seq)}" }))
            sent.seq = last.seq
        }
        for output in due where output.kind != .point {
            let body = output.kind == .insight ? "{\"n\":\(output.seq)}" : "[{\"n\":\(output.seq)}]"
            frames.append(frame(output.kind, id, output.previous, output.seq, [body]))
            sent[output.kind] = output.seq
        }
        subscriber.readers[id]?.sent = sent
        return isAwkward ? frames.flatMap { mishandle($0, using: &random) } : frames
    }

    private mutating func mishandle(_ frame: [UInt8], using random: inout SeededRandom) -> [[UInt8]] {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return [frame, frame]
        case 1 where omits:
            omitted += 1
            return []
        default: return [frame]
        }
    }

    private func frame(
        _ kind: OutputKind, _ id: StreamID, _ previous: UInt64, _ seq: UInt64, _ elements: [String]
    ) -> [UInt8] {
        let data = elements.joined(separator: ",")
        return Array(
            """
            {"type":"\(kind.updateType)","stream":"\(id)","lineage":"\(lineage)","prev":\(previous),"seq":\(seq),\
            "data":\(kind == .point ? "[\(data)]" : data)}
            """.utf8)
    }

    private func heartbeat(_ subscriber: inout Subscriber) -> [UInt8] {
        var moved: [StreamID: Position] = [:]
        for (id, reader) in subscriber.readers where reader.sent.seq != reader.told.seq {
            moved[id] = reader.sent
            subscriber.readers[id]?.told = reader.sent
        }
        var json = JSONWriter()
        json.raw("{\"type\":\"heartbeat\",\"positions\":")
        json.positions(moved)
        json.raw("}")
        return json.bytes
    }
}

extension FeedNode.Subscriber {
    fileprivate mutating func begin(_ id: StreamID, at position: Position) {
        readers[id] = FeedNode.Reader(sent: position, told: position)
    }
}
