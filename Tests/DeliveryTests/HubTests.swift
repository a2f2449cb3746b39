import Delivery
import JSON
import Telemetry
import Testing

@Suite struct HubTests {
    /// Clients connect, break off, fall behind the ring and come back at their positions, in any order.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `clients see every output once and in order whatever breaks`(seed: UInt64) {
        var world = HubSimulation(seed: seed)
        world.clients = [
            SimulatedClient(), SimulatedClient(kinds: [.point]), SimulatedClient(kinds: [.insight, .alert]),
            SimulatedClient(from: .latest), SimulatedClient(kinds: [.alert], from: .latest),
        ]
        for _ in 0..<120 {
            let index = Int.random(in: 0..<world.clients.count, using: &world.random)
            switch Int.random(in: 0..<10, using: &world.random) {
            case 0..<4: world.produce(Int.random(in: 1...80, using: &world.random))
            case 4: world.clients[index].session == nil ? world.connect(index) : world.disconnect(index)
            case 5: world.answerReplays(2)
            case 6: world.beat()
            default: world.read(index, frames: Int.random(in: 1...12, using: &world.random))
            }
        }
        world.settle()
        for client in world.clients {
            #expect(client.complaints.isEmpty)
            #expect(world.hasAll(client))
        }
    }

    /// The same, while the hub is fed by one replica after the other, each as far as it happens to be.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func `clients do not notice that another replica goes on`(seed: UInt64) {
        var world = HubSimulation(seed: seed)
        world.clients = [
            SimulatedClient(), SimulatedClient(kinds: [.point]), SimulatedClient(kinds: [.insight, .alert]),
        ]
        for _ in 0..<120 {
            let index = Int.random(in: 0..<world.clients.count, using: &world.random)
            switch Int.random(in: 0..<12, using: &world.random) {
            case 0..<4:
                let lags = Bool.random(using: &world.random)
                world.produce(Int.random(in: 1...80, using: &world.random), lags: lags)
            case 4: world.clients[index].session == nil ? world.connect(index) : world.disconnect(index)
            case 5: world.answerReplays(2)
            case 6: world.beat()
            case 7, 8: world.switchReplica()
            default: world.read(index, frames: Int.random(in: 1...12, using: &world.random))
            }
        }
        world.settle()
        for client in world.clients {
            #expect(client.complaints.isEmpty)
            #expect(world.hasAll(client))
        }
    }

    @Test func `a client that has more than this replica waits for it, and is told when the log itself has lost`() {
        var world = HubSimulation(seed: 7, streams: 1, beatsAheadMax: 3)
        world.produce(20)
        subscribe(&world, at: [25], include: [.point])
        #expect(texts(&world).allSatisfy { !$0.contains("resync") })
        world.produce(10)
        #expect(texts(&world).contains { $0.contains("\"prev\":25,\"seq\":30") })

        subscribe(&world, 2, at: [99])
        for _ in 0..<4 { world.beat() }
        #expect(texts(&world, of: 2).allSatisfy { !$0.contains("resync") })
        #expect(world.waitingReplays == 1, "the log is asked first")
        world.answerReplays(1)
        #expect(texts(&world, of: 2).contains { $0.contains("ahead_of_log") })
        #expect(world.waitingReplays == 0)
    }

    @Test func `a client that has more than this node is served from the log where that has it`() {
        var world = HubSimulation(seed: 8, streams: 1, beatsAheadMax: 3)
        world.produce(20)
        subscribe(&world, at: [25], include: [.point])
        for _ in 0..<4 { world.beat() }
        // What the replica has not folded yet when the log is asked.
        world.produce(10)
        world.answerReplays(1)
        let all = texts(&world)
        #expect(all.allSatisfy { !$0.contains("resync") })
        #expect(all.contains { $0.contains("\"prev\":25,\"seq\":30") })
        world.produce(1)
        #expect(texts(&world).contains { $0.contains("\"prev\":30,\"seq\":31") })
    }

    @Test func `what another source brings is not asked of the log`() {
        var world = HubSimulation(seed: 10, streams: 1, beatsAheadMax: 3)
        world.produce(20)
        world.produce(20, lags: true)
        subscribe(&world, at: [25], include: [.point])
        world.switchReplica(at: 23)
        world.catchUp()
        #expect(texts(&world).contains { $0.contains("\"prev\":25,\"seq\":40") })
        #expect(world.waitingReplays == 0)
    }

    @Test func `whoever waits for a log that does not answer is sent elsewhere and told of no loss`() {
        var world = HubSimulation(seed: 9, streams: 2, beatsAheadMax: 3)
        world.produce(20)
        subscribe(&world, at: [99, 99])
        var asked: [UInt64] = []
        for _ in 0..<4 {
            for case .replay(let request) in world.hub.beat(now: world.now) { asked.append(request.reader) }
        }
        #expect(asked.count == 2)
        let effects = asked.flatMap { world.hub.replayed($0, .unavailable(reason: "no answer")) }
        let codes = effects.compactMap { if case .close(_, let code, _) = $0 { code } else { nil } }
        #expect(codes == [CloseCode.notReady])
        #expect(texts(&world).allSatisfy { !$0.contains("resync") })
    }

    /// Opens a session that goes on at these seqs of the first streams.
    private func subscribe(
        _ world: inout HubSimulation, _ session: UInt64 = 1, at seqs: [UInt64],
        include: [OutputKind] = OutputKind.allCases
    ) {
        world.hub.open(SessionID(session), now: world.now)
        var positions: [StreamID: Position] = [:]
        for (number, seq) in seqs.enumerated() {
            positions[world.stream(number)] = Position(lineage: HubSimulation.lineage, seq: seq)
        }
        _ = world.hub.subscribe(
            SubscribeRequest(id: "s", streams: [.all(.chassis)], include: include, from: .positions(positions)),
            for: SessionID(session))
    }

    private func texts(_ world: inout HubSimulation, of session: UInt64 = 1) -> [String] {
        var texts: [String] = []
        while let frame = world.hub.nextFrame(for: SessionID(session), now: world.now).frame {
            texts.append(frame.text)
        }
        return texts
    }

    @Test func `a client that starts at the latest gets what comes next and nothing before`() {
        var world = HubSimulation(seed: 1, streams: 1)
        world.produce(50)
        world.clients = [SimulatedClient(from: .latest)]
        world.connect(0)
        world.produce(7)
        world.read(0, frames: 100)
        #expect(world.clients[0].points == 7)
        #expect(world.clients[0].complaints.isEmpty)
    }

    @Test func `a stream that appears later belongs to the wildcard from its first point`() {
        var world = HubSimulation(seed: 2, streams: 1)
        world.clients = [SimulatedClient(from: .latest)]
        world.connect(0)
        let number = world.log.count
        world.log.append([])
        world.lastSaid.append([0, 0, 0])
        _ = world.hub.announce(
            world.stream(number), shard: 0, number: number, lineage: HubSimulation.lineage, floor: [0, 0, 0])
        world.produce(40)
        world.read(0, frames: 1_000)
        #expect(world.clients[0].points == 40)
        #expect(world.clients[0].complaints.isEmpty)
    }

    @Test func `only the newest point is sent to a slow client that asked for that, with what it stands for`() throws {
        var world = HubSimulation(seed: 3, streams: 1)
        world.hub.open(SessionID(99), now: world.now)
        _ = world.hub.subscribe(
            SubscribeRequest(id: "s", streams: [.all(.chassis)], include: [.point], behavior: .latest),
            for: SessionID(99))
        world.produce(30)
        world.produce(12)
        let frames = [0, 1, 2].map { _ in world.hub.nextFrame(for: SessionID(99), now: world.now).frame }
        let update = try JSONValue.parse(UnsafeRawBufferPointer(try #require(frames[1]).payload))
        #expect(update["seq"]?.int == 42)
        #expect(update["conflated"]?.int == 42)
        #expect(update["data"]?.array?.count == 1)
        #expect(frames[2] == nil)
    }

    @Test(arguments: [(Lineage(0xdef), 3 as UInt64, "lineage_changed"), (Lineage(0xabc), 99, "ahead_of_log")])
    func `a position that is not of this history is answered by a resync with the state`(
        lineage: Lineage, seq: UInt64, reason: String
    ) throws {
        var world = HubSimulation(seed: 4, streams: 1)
        world.produce(20)
        world.hub.open(SessionID(1), now: world.now)
        let position = Position(lineage: lineage, seq: seq)
        _ = world.hub.subscribe(
            SubscribeRequest(id: "s", streams: [.all(.chassis)], from: .positions([world.stream(0): position])),
            for: SessionID(1))
        var types: [String] = []
        while let frame = world.hub.nextFrame(for: SessionID(1), now: world.now).frame {
            let json = try JSONValue.parse(UnsafeRawBufferPointer(frame.payload))
            types.append(json["type"]?.string ?? "")
            guard json["type"]?.string == "resync" else { continue }
            #expect(json["reason"]?.string == reason)
            #expect(json["seq"]?.int == 20)
        }
        #expect(types.contains("resync"))
        #expect(!types.contains("telemetry_update"))
    }

    @Test func `a client that reads nothing for ten seconds is closed and may resume`() {
        var world = HubSimulation(seed: 5, streams: 1)
        world.clients = [SimulatedClient()]
        world.connect(0)
        world.produce(10)
        for _ in 0..<10 { world.beat() }
        #expect(world.clients[0].session != nil)
        world.beat()
        #expect(world.clients[0].session == nil)
        world.settle()
        #expect(world.clients[0].complaints.isEmpty)
        #expect(world.clients[0].points == 10)
    }

    @Test func `a slow client costs the hub no memory`() {
        var world = HubSimulation(seed: 6, streams: 2)
        world.clients = [SimulatedClient()]
        world.connect(0)
        for _ in 0..<200 { world.produce(100) }
        let reserved = world.hub.streams.values.map(\.ring.bytesReserved).reduce(0, +)
        #expect(reserved < 2 * (128 << 10))
        world.settle()
        #expect(world.clients[0].complaints.isEmpty)
        #expect(world.hasAll(world.clients[0]))
    }
}
