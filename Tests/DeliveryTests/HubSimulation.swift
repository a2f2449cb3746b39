import Delivery
import JSON
import Telemetry

/// A hub, the log it is fed from, and clients that come, go and fall behind. All choices come from one seed.
struct HubSimulation {
    /// The generator of Vigna's SplitMix64.
    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    struct Said {
        let kind: OutputKind
        let seq: UInt64
        let previous: UInt64
        let json: [UInt8]
    }

    static let lineage = Lineage(0xabc)
    var random: Random
    var hub: Hub
    var log: [[Said]]
    var lastSaid: [[UInt64]]
    var clients: [SimulatedClient] = []
    var now = Timestamp(microseconds: 0)
    private var nextSession: UInt64 = 1
    private var replays: [Hub.ReplayRequest] = []
    var waitingReplays: Int { replays.count }
    /// How much of each stream's log the replica has given that the hub is fed by.
    private var given: [Int]

    init(seed: UInt64, streams: Int = 3, ringBytes: Int = 64 << 10, beatsAheadMax: Int = 0) {
        random = Random(state: seed)
        var limits = Hub.Limits()
        limits.ringBytes = ringBytes
        limits.beatsAheadMax = beatsAheadMax
        given = Array(repeating: 0, count: streams)
        hub = Hub(limits: limits)
        log = Array(repeating: [], count: streams)
        lastSaid = Array(repeating: [0, 0, 0], count: streams)
        for number in 0..<streams {
            _ = hub.announce(
                stream(number), shard: 0, number: number, lineage: HubSimulation.lineage, floor: [0, 0, 0])
        }
    }

    func stream(_ number: Int) -> StreamID { StreamID(.chassis, "car-\(number)") }

    /// Some points, with insights and alerts now and then, of any streams.
    /// - Parameter lags: the hub's replica has not applied them yet.
    mutating func produce(_ count: Int, padding: Int = 600, lags: Bool = false) {
        for _ in 0..<count {
            let number = Int.random(in: 0..<log.count, using: &random)
            let seq = lastSaid[number][0] + 1
            say(.point, number, seq, padding: Int.random(in: 0...padding, using: &random))
            guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
            say(.insight, number, seq, padding: 20)
            if Bool.random(using: &random) { say(.alert, number, seq, padding: 0) }
        }
        if !lags { catchUp() }
    }

    /// The hub's replica gives all that is in the log.
    mutating func catchUp() {
        var batch = OutputBatch()
        while given.count < log.count { given.append(0) }
        for number in log.indices {
            for said in log[number][given[number]...] {
                said.json.withUnsafeBytes {
                    batch.append(
                        stream: Int32(number), kind: said.kind, seq: said.seq, previous: said.previous,
                        time: Timestamp(microseconds: Int64(said.seq) * 1_000), json: $0)
                }
            }
            given[number] = log[number].count
        }
        if hub.hasRepeats(batch, shard: 0) { batch = hub.withoutRepeats(batch, shard: 0) }
        hub.absorb(batch, shard: 0)
        carryOut(hub.flush())
    }

    /// Another replica goes on, which is behind the last one or further than it.
    /// - Parameter seq: how far it is; by default anywhere near the end.
    mutating func switchReplica(at seq: UInt64? = nil) {
        hub.restart(shard: 0)
        for number in log.indices {
            let count = log[number].count
            if let seq {
                given[number] = log[number].firstIndex { $0.seq > seq } ?? count
            } else {
                given[number] = Int.random(in: max(0, count - 100)...count, using: &random)
            }
            var floor: [UInt64] = [0, 0, 0]
            for said in log[number][..<given[number]] { floor[Int(said.kind.rawValue)] = said.seq }
            carryOut(
                hub.announce(stream(number), shard: 0, number: number, lineage: HubSimulation.lineage, floor: floor))
        }
    }

    private mutating func say(_ kind: OutputKind, _ number: Int, _ seq: UInt64, padding: Int) {
        let json = Array("{\"n\":\(seq),\"pad\":\"\(String(repeating: "x", count: padding))\"}".utf8)
        let previous = lastSaid[number][Int(kind.rawValue)]
        lastSaid[number][Int(kind.rawValue)] = seq
        log[number].append(Said(kind: kind, seq: seq, previous: previous, json: json))
    }

    // MARK: Clients

    /// Connects a client, at the positions it has.
    mutating func connect(_ index: Int) {
        let id = SessionID(nextSession)
        nextSession += 1
        clients[index].session = id
        hub.open(id, now: now)
        var request = SubscribeRequest(id: "s", streams: [.all(.chassis)], include: clients[index].kinds)
        request.from = clients[index].hasSubscribed ? .positions(clients[index].positions) : clients[index].from
        carryOut(hub.subscribe(request, for: id))
    }

    mutating func disconnect(_ index: Int) {
        guard let id = clients[index].session else { return }
        clients[index].session = nil
        carryOut(hub.close(id))
    }

    /// Lets a client read some frames.
    mutating func read(_ index: Int, frames: Int) {
        guard let id = clients[index].session else { return }
        for _ in 0..<frames {
            let next = hub.nextFrame(for: id, now: now)
            carryOut(next.effects)
            guard let frame = next.frame else { return }
            clients[index].take(frame)
        }
    }

    /// Answers some of the replays that were asked for.
    mutating func answerReplays(_ count: Int) {
        for _ in 0..<count where !replays.isEmpty {
            let request = replays.remove(at: Int.random(in: 0..<replays.count, using: &random))
            guard let number = log.indices.first(where: { stream($0) == request.stream }) else { continue }
            let floor = OutputKind.allCases.map { request.position[$0] }
            var ring = StreamRing(floor: floor, capacityMax: .max)
            for said in log[number] where said.seq > request.position[said.kind] && ring.end < 20 {
                said.json.withUnsafeBytes {
                    ring.append(
                        kind: said.kind, seq: said.seq, previous: said.previous,
                        time: Timestamp(microseconds: Int64(said.seq) * 1_000), json: $0)
                }
            }
            carryOut(hub.replayed(request.reader, .outputs(ring)))
        }
    }

    mutating func beat() {
        now.microseconds += 1_000_000
        carryOut(hub.beat(now: now))
    }

    /// No more faults: everybody connects and reads to the end.
    mutating func settle() {
        catchUp()
        for index in clients.indices where clients[index].session == nil { connect(index) }
        for _ in 0..<10_000 {
            for index in clients.indices { read(index, frames: 50) }
            if replays.isEmpty, clients.allSatisfy({ hasAll($0) }) { return }
            answerReplays(10)
        }
    }

    func hasAll(_ client: SimulatedClient) -> Bool {
        log.indices.allSatisfy { number in
            client.kinds.allSatisfy { client.position(stream(number))[$0] >= lastSaid[number][Int($0.rawValue)] }
        }
    }

    private mutating func carryOut(_ effects: [Hub.Effect]) {
        for effect in effects {
            switch effect {
            case .wantsToWrite: break
            case .close(let id, _, _):
                if let index = clients.firstIndex(where: { $0.session == id }) { disconnect(index) }
            case .replay(let request): replays.append(request)
            case .endReplay(let reader): replays.removeAll { $0.reader == reader }
            }
        }
    }
}

/// What an honest client of the protocol keeps, and what it must never see.
struct SimulatedClient {
    let kinds: [OutputKind]
    let from: From
    var session: SessionID?
    var hasSubscribed = false
    var positions: [StreamID: Position] = [:]
    /// Every broken promise, in words.
    var complaints: [String] = []
    var points = 0

    init(kinds: [OutputKind] = OutputKind.allCases, from: From = .earliest) {
        self.kinds = kinds
        self.from = from
    }

    func position(_ stream: StreamID) -> Position {
        positions[stream] ?? Position(lineage: HubSimulation.lineage, seq: 0)
    }

    mutating func take(_ frame: Frame) {
        guard let json = try? JSONValue.parse(UnsafeRawBufferPointer(frame.payload)) else {
            return complaints.append("not JSON: \(frame.text)")
        }
        switch json["type"]?.string {
        case "subscribed": subscribed(json)
        case "telemetry_update": points(json)
        case "insight_update": update(json, .insight)
        case "alert_update": update(json, .alert)
        case "heartbeat": heartbeat(json)
        default: complaints.append("unexpected: \(frame.text.prefix(200))")
        }
    }

    private mutating func subscribed(_ json: JSONValue) {
        guard !hasSubscribed else { return }
        hasSubscribed = true
        for (name, value) in json["positions"]?.object ?? [:] {
            if let stream = StreamID(name), let position = Position(value) { positions[stream] = position }
        }
    }

    private mutating func points(_ json: JSONValue) {
        guard let (stream, previous, seq) = head(json) else { return }
        let numbers = (json["data"]?.array ?? []).compactMap { $0["n"]?.int }
        if numbers != (Int(previous) + 1...Int(seq)).map({ $0 }) {
            complaints.append("\(stream): a frame \(previous)…\(seq) holds \(numbers)")
        }
        expect(previous, .point, stream)
        points += numbers.count
        advance(stream, .point, to: seq)
    }

    private mutating func update(_ json: JSONValue, _ kind: OutputKind) {
        guard let (stream, previous, seq) = head(json) else { return }
        if json["data"]?["n"]?.int != Int(seq) { complaints.append("\(stream): \(kind) \(seq) is another's") }
        expect(previous, kind, stream)
        advance(stream, kind, to: seq)
    }

    private mutating func advance(_ stream: StreamID, _ kind: OutputKind, to seq: UInt64) {
        var position = position(stream)
        position[kind] = seq
        positions[stream] = position
    }

    /// What comes follows on what there is: no gap, no repeat.
    private mutating func expect(_ previous: UInt64, _ kind: OutputKind, _ stream: StreamID) {
        let have = position(stream)[kind]
        // The first insight after a start in the middle names one that was never wanted.
        let isFine = kind == .point ? previous == have : previous <= have
        if !isFine { complaints.append("\(stream): \(kind) follows \(previous), not \(have)") }
    }

    private mutating func heartbeat(_ json: JSONValue) {
        for (name, value) in json["positions"]?.object ?? [:] where kinds.contains(.point) {
            guard let stream = StreamID(name), let said = Position(value) else { continue }
            if said.seq != position(stream).seq {
                complaints.append("\(stream): heartbeat says \(said.seq), there is \(position(stream).seq)")
            }
        }
    }

    private mutating func head(_ json: JSONValue) -> (StreamID, UInt64, UInt64)? {
        guard let stream = json["stream"]?.string.flatMap({ StreamID($0) }), let previous = json["prev"]?.int,
            let seq = json["seq"]?.int
        else {
            complaints.append("an update without stream, prev or seq")
            return nil
        }
        if UInt64(seq) <= position(stream).seq, json["type"]?.string == "telemetry_update" {
            complaints.append("\(stream): \(seq) again")
        }
        return (stream, UInt64(previous), UInt64(seq))
    }
}
