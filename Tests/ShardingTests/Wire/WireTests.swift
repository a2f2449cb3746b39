import Sharding
import Simulation
import Testing

@Suite struct WireTests {
    static func packets() throws -> [Packet] {
        let (a, b) = (try node("node-a"), try node("b"))
        let stamp = Stamp(boot: 1_763_000_000_123, counter: 300)
        let messages: [Packet.Message] = [
            .gossip, .ping(7, target: b), .ack(.max), .nack(0), .pingRequest(9, target: b, at: address(2)),
            .tableRequest(b, newerThan: stamp, offset: 1_100),
            .tablePiece(TablePiece(node: b, version: stamp, total: 4_000, offset: 1_100, bytes: [1, 2, 3])),
        ]
        let items: [Packet.Item] = [
            .claim(Claim(b, .suspect, stamp, at: address(3), accuser: a)),
            .claim(Claim(a, .left, .zero, at: PeerAddress(high: 1, low: 2, port: 3))), .table(b, stamp.next),
        ]
        return messages.map { Packet(cluster: 0xFEED, sender: a, message: $0, items: items) }
    }

    static func frames() throws -> [PeerFrame] {
        let (a, b) = (try node("node-a"), try node("b"))
        let claim = Claim(b, .dead, Stamp(boot: 5, counter: 6), at: address(3))
        let hello = PeerFrame.Hello(
            sender: a, settings: ClusterSettings(["replicas": "2", "partitions": "64"]),
            known: [PeerFrame.Known(claim: claim, table: Stamp(boot: 7, counter: 8))])
        let delta = PeerFrame.Delta(
            claims: [claim], tables: [PeerFrame.TableCopy(node: a, version: .zero, bytes: [9, 9])], wanted: [b])
        return [
            .hello(hello), .delta(delta), .refusal(.key), .refusal(.version(joining: 2, cluster: 1)),
            .refusal(.settings(name: "replicas", joining: "3", cluster: "2")),
        ]
    }

    @Test func `packets and frames arrive as they were sent`() throws {
        for packet in try Self.packets() { #expect(try Packet(packet.bytes) == packet) }
        for frame in try Self.frames() { #expect(try PeerFrame(frame.bytes) == frame) }
        let table = NodeTable.sample(shards: 40)
        #expect(try NodeTable(try table.encoded()) == table)
    }

    @Test func `a packet or frame cut short is refused, wherever it is cut`() throws {
        for frame in try Self.frames() {
            for length in frame.bytes.indices {
                #expect(throws: WireError.self) { try PeerFrame(Array(frame.bytes[..<length])) }
            }
            #expect(throws: WireError.trailing(1)) { try PeerFrame(frame.bytes + [0]) }
        }
        let table = try NodeTable.sample(shards: 3).encoded()
        for length in table.indices { #expect(throws: WireError.self) { try NodeTable(Array(table[..<length])) } }
    }

    /// What is read without an error reads the same again: no byte string means two things, and none traps.
    @Test(arguments: Seeds.first(8))
    func `no bytes whatever make a reader trap`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let valid =
            try Self.packets().map(\.bytes) + Self.frames().map(\.bytes) + [NodeTable.sample(shards: 9).encoded()]
        for _ in 0..<1_500 {
            var bytes = try #require(valid.randomElement(using: &random))
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            if let packet = try? Packet(bytes) { #expect(try Packet(packet.bytes) == packet) }
            if let frame = try? PeerFrame(bytes) { #expect(try PeerFrame(frame.bytes) == frame) }
            if let table = try? NodeTable(bytes), let again = try? table.encoded() {
                #expect(try NodeTable(again) == table)
            }
        }
    }

    @Test func `a table over the limit is refused, with its size`() throws {
        let large = NodeTable.sample(shards: 2_000)
        #expect { try large.encoded() } throws: { error in
            guard case .tooLarge(let bytes)? = error as? NodeTableError else { return false }
            return bytes > NodeTable.bytesMax
        }
        #expect(try NodeTable.sample(shards: 700).encoded().count <= NodeTable.bytesMax)
    }

    @Test func `a count that no message could hold sets no memory aside`() {
        // A delta that announces 10,000 claims, and ends.
        #expect(throws: WireError.truncated(needed: 1, left: 0)) { try PeerFrame([Packet.version, 1, 0x90, 0x4E]) }
        #expect(throws: WireError.self) {
            try PeerFrame([Packet.version, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
        }
    }
}
